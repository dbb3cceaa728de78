#pragma once

#include <cstdint>
#include <string>

namespace dare::cli {

// "1.5 GiB", "512 bytes".
std::string SizeText(std::uint64_t bytes);
// Strangers wrote what we print: their names and values lose their control characters.
std::string Printable(std::string text);
// "2025-01-31T12:00:00Z" (RFC 3339).
std::string TimeText(std::int64_t posix_seconds);
// "90d", "36h", "90s": in the largest unit that it is a whole number of (time_input.h).
std::string DurationText(std::int64_t seconds);

}  // namespace dare::cli

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace dare::cli {

// "90s", "15m", "36h", "400d", "2w" in seconds. kInvalidArgument.
Result<std::int64_t> ParseDuration(const std::string& text);
// POSIX seconds of "2027-01-31T12:00:00Z", of "2027-01-31" (its beginning, UTC), or of so long ago
// as a duration says. kInvalidArgument.
Result<std::int64_t> ParseMoment(const std::string& text, std::int64_t now);

}  // namespace dare::cli

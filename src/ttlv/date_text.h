#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace dare::ttlv {

// Dates as text: xsd:dateTime, which is ISO 8601 in its extended format.

struct DateAndFraction {
  std::int64_t seconds = 0;       // POSIX
  std::int64_t microseconds = 0;  // 0 to 999,999; further digits are dropped
};

// "2001-02-03T04:05:06", a fraction of a second, and "Z" or an offset ("+10:00", "+1000"); without
// them UTC. Years have four digits and no sign. kMalformed otherwise.
Result<DateAndFraction> ParseDate(std::string_view text);

// True when `seconds` lies in the years that ParseDate reads: 1 to 9999.
bool IsWritableDate(std::int64_t seconds);
// Appends "2001-02-03T04:05:06+00:00"; `seconds` must be writable.
void AppendDate(std::int64_t seconds, WipingBytes& out);
// Appends "2001-02-03T04:05:06.000007+00:00".
void AppendDateExtended(const DateAndFraction& date, WipingBytes& out);

}  // namespace dare::ttlv

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "policy/policy.h"

// The conditions of a grant as texts: each is read and written here.
namespace dare::policy {

// "08:00-18:30".
Result<Hours> ParseHours(std::string_view text);
std::string TextOf(const Hours& hours);
// "100/60s".
Result<Rate> ParseRate(std::string_view text);
std::string TextOf(const Rate& rate);
// "90s", "15m", "24h", "7d", up to 90 days; in seconds.
Result<std::int64_t> ParseDuration(std::string_view text);
std::string DurationText(std::int64_t seconds);
// "mon", …; the bit of the day.
Result<std::uint8_t> ParseDay(std::string_view text);
std::string_view DayName(int day);
// "2027-01-31T12:00:00Z".
Result<std::int64_t> ParseMoment(std::string_view text);
std::string MomentText(std::int64_t moment);

}  // namespace dare::policy

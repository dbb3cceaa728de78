#include "policy/conditions_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

namespace dare::policy {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::uint32_t kMostCount = 1'000'000'000, kMostSeconds = 86'400;

Error NotThis(std::string_view text, const char* example) {
  return Error(Code::kInvalidArgument, "'" + std::string(text.substr(0, 64)) +
                                           "' must be written like \"" + example + "\"");
}

// The number that `text` is, digits alone.
std::optional<std::uint32_t> Number(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, number);
  if (text.empty() || failure != std::errc() || stopped != end) return std::nullopt;
  return number;
}

std::optional<int> MinuteOf(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = Number(text.substr(0, 2)), minute = Number(text.substr(3));
  if (!hour || !minute || *hour > 24 || *minute > 59 || (*hour == 24 && *minute != 0)) {
    return std::nullopt;
  }
  return static_cast<int>(*hour * 60 + *minute);
}

template <typename... Numbers>
std::string Print(const char* format, Numbers... numbers) {
  char buffer[64];
  const int written = std::snprintf(buffer, sizeof buffer, format, numbers...);
  return {buffer, static_cast<std::size_t>(written)};
}

}  // namespace

Result<Hours> ParseHours(std::string_view text) {
  constexpr char kExample[] = "08:00-18:30";
  if (text.size() != 11 || text[5] != '-') return NotThis(text, kExample);
  const auto from = MinuteOf(text.substr(0, 5)), to = MinuteOf(text.substr(6));
  if (!from || !to || *from == *to || *from == 24 * 60) return NotThis(text, kExample);
  return Hours{*from, *to};
}

std::string TextOf(const Hours& hours) {
  return Print("%02d:%02d-%02d:%02d", hours.from / 60, hours.from % 60, hours.to / 60,
               hours.to % 60);
}

Result<Rate> ParseRate(std::string_view text) {
  constexpr char kExample[] = "100/60s";
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !text.ends_with('s')) return NotThis(text, kExample);
  const auto count = Number(text.substr(0, slash));
  const auto seconds = Number(text.substr(slash + 1, text.size() - slash - 2));
  if (!count || !seconds || *count == 0 || *count > kMostCount || *seconds == 0 ||
      *seconds > kMostSeconds) {
    return NotThis(text, kExample);
  }
  return Rate{*count, *seconds};
}

std::string TextOf(const Rate& rate) {
  return std::to_string(rate.count) + "/" + std::to_string(rate.seconds) + "s";
}

namespace {
constexpr std::array<std::pair<char, std::uint32_t>, 4> kUnits = {
    {{'d', 86'400}, {'h', 3'600}, {'m', 60}, {'s', 1}}};
constexpr std::uint64_t kLongest = 90 * 86'400;
}  // namespace

Result<std::int64_t> ParseDuration(std::string_view text) {
  constexpr char kExample[] = "24h";
  if (text.size() < 2) return NotThis(text, kExample);
  const auto count = Number(text.substr(0, text.size() - 1));
  for (const auto& [unit, seconds] : kUnits) {
    if (unit != text.back() || !count || *count == 0) continue;
    const std::uint64_t total = std::uint64_t{*count} * seconds;
    if (total <= kLongest) return static_cast<std::int64_t>(total);
  }
  return NotThis(text, kExample);
}

std::string DurationText(std::int64_t seconds) {
  for (const auto& [unit, length] : kUnits) {
    if (seconds % length == 0) return std::to_string(seconds / length) + unit;
  }
  return std::to_string(seconds) + "s";
}

Result<std::uint8_t> ParseDay(std::string_view text) {
  const auto* const found = std::ranges::find(kDays, text);
  if (found == kDays.end()) return NotThis(text, "mon");
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(found - kDays.begin()));
}

std::string_view DayName(int day) { return kDays[static_cast<std::size_t>(day)]; }

Result<std::int64_t> ParseMoment(std::string_view text) {
  namespace chrono = std::chrono;
  constexpr char kExample[] = "2027-01-31T12:00:00Z";
  if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || text[19] != 'Z') {
    return NotThis(text, kExample);
  }
  const auto year = Number(text.substr(0, 4)), month = Number(text.substr(5, 2)),
             day = Number(text.substr(8, 2)), hour = Number(text.substr(11, 2)),
             minute = Number(text.substr(14, 2)), second = Number(text.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second || *hour > 23 || *minute > 59 ||
      *second > 59) {
    return NotThis(text, kExample);
  }
  const chrono::year_month_day date(chrono::year(static_cast<int>(*year)), chrono::month(*month),
                                    chrono::day(*day));
  if (!date.ok()) return NotThis(text, kExample);
  const chrono::sys_seconds moment = chrono::sys_days(date) + chrono::hours(*hour) +
                                     chrono::minutes(*minute) + chrono::seconds(*second);
  return moment.time_since_epoch().count();
}

std::string MomentText(std::int64_t moment) {
  namespace chrono = std::chrono;
  const chrono::sys_seconds at{chrono::seconds(moment)};
  const auto midnight = chrono::floor<chrono::days>(at);
  const chrono::year_month_day date(midnight);
  const auto second = static_cast<int>((at - midnight).count());
  return Print("%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
               static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
               second / 3600, second / 60 % 60, second % 60);
}

}  // namespace dare::policy

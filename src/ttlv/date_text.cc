#include "ttlv/date_text.h"

#include <chrono>
#include <cstdio>

#include "base/bytes.h"
#include "base/check.h"

namespace dare::ttlv {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr std::int64_t kSecondsPerDay = 86400;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes characters from the front of a date.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  // A number of exactly `digits` digits, or -1.
  int Number(std::size_t digits) {
    if (rest_.size() < digits) return -1;
    int number = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (!IsDigit(c)) return -1;
      number = number * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return number;
  }
  bool Take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Any number of digits, at least one, as millionths; -1 when there is none.
  std::int64_t Fraction() {
    std::int64_t fraction = 0, place = 100000;
    if (rest_.empty() || !IsDigit(rest_.front())) return -1;
    while (!rest_.empty() && IsDigit(rest_.front())) {
      fraction += place * (rest_.front() - '0');
      place /= 10;
      rest_.remove_prefix(1);
    }
    return fraction;
  }
  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

Error NotADate() { return {Code::kMalformed, "not a date and time of ISO 8601"}; }

// Seconds to subtract.
Result<std::int64_t> ParseZone(Cursor& in) {
  if (in.AtEnd() || in.Take('Z')) return std::int64_t{0};
  const bool east = in.Take('+');
  if (!east && !in.Take('-')) return NotADate();
  const int hours = in.Number(2);
  (void)in.Take(':');
  const int minutes = in.Number(2);
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return NotADate();
  const std::int64_t seconds = hours * 3600 + minutes * 60;
  return east ? seconds : -seconds;
}

struct Civil {
  int year, month, day, hour, minute, second;
};

Civil ToCivil(std::int64_t seconds) {
  CHECK(IsWritableDate(seconds));
  const std::int64_t day_number = seconds / kSecondsPerDay - (seconds % kSecondsPerDay < 0 ? 1 : 0);
  const auto in_day = static_cast<int>(seconds - day_number * kSecondsPerDay);
  const std::chrono::year_month_day date(sys_days(days(static_cast<int>(day_number))));
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          in_day / 3600,
          in_day / 60 % 60,
          in_day % 60};
}

}  // namespace

Result<DateAndFraction> ParseDate(std::string_view text) {
  Cursor in(text);
  const int year = in.Number(4);
  if (year < 1 || !in.Take('-')) return NotADate();
  const int month = in.Number(2);
  if (month < 0 || !in.Take('-')) return NotADate();
  const int day = in.Number(2);
  if (day < 0 || !in.Take('T')) return NotADate();
  const int hour = in.Number(2);
  if (!in.Take(':')) return NotADate();
  const int minute = in.Number(2);
  if (!in.Take(':')) return NotADate();
  const int second = in.Number(2);
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return NotADate();
  }
  DateAndFraction result;
  if (in.Take('.')) {
    result.microseconds = in.Fraction();
    if (result.microseconds < 0) return NotADate();
  }
  // The end of a day may be written as hour 24.
  if (hour == 24 && (minute != 0 || second != 0 || result.microseconds != 0)) return NotADate();
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return NotADate();
  const std::int64_t zone = TRY(ParseZone(in));
  if (!in.AtEnd()) return NotADate();
  const int in_day = hour * 3600 + minute * 60 + second;
  result.seconds =
      std::int64_t{sys_days(date).time_since_epoch().count()} * kSecondsPerDay + in_day - zone;
  return result;
}

bool IsWritableDate(std::int64_t seconds) {
  constexpr std::int64_t kFirst = -62135596800;  // 0001-01-01T00:00:00
  constexpr std::int64_t kLast = 253402300799;   // 9999-12-31T23:59:59
  return seconds >= kFirst && seconds <= kLast;
}

void AppendDate(std::int64_t seconds, WipingBytes& out) {
  const Civil c = ToCivil(seconds);
  char text[80];
  const int n = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d+00:00", c.year,
                              c.month, c.day, c.hour, c.minute, c.second);
  Append(out, AsBytes({text, static_cast<std::size_t>(n)}));
}

void AppendDateExtended(const DateAndFraction& date, WipingBytes& out) {
  const Civil c = ToCivil(date.seconds);
  char text[96];
  const int n =
      std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00", c.year, c.month,
                    c.day, c.hour, c.minute, c.second, static_cast<int>(date.microseconds));
  Append(out, AsBytes({text, static_cast<std::size_t>(n)}));
}

}  // namespace dare::ttlv

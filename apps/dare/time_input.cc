#include "time_input.h"

#include <charconv>

#include "audit/line.h"

namespace dare::cli {
namespace {

constexpr std::int64_t kMostSeconds = std::int64_t{200} * 366 * 86400;

// 0 for what is no unit.
std::int64_t SecondsIn(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return std::int64_t{7} * 86400;
    default:
      return 0;
  }
}

}  // namespace

Result<std::int64_t> ParseDuration(const std::string& text) {
  const Error wrong(Code::kInvalidArgument,
                    "'" + text + "' is no duration: 90s, 15m, 36h, 400d and 2w are");
  if (text.size() < 2) return wrong;
  std::int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [stopped, failure] = std::from_chars(text.data(), end, count);
  const std::int64_t unit = SecondsIn(*end);
  if (failure != std::errc() || stopped != end || unit == 0) return wrong;
  if (count < 0 || count > kMostSeconds / unit) return wrong;
  return count * unit;
}

Result<std::int64_t> ParseMoment(const std::string& text, std::int64_t now) {
  constexpr std::size_t kDateSize = 10;
  const bool is_date = text.size() == kDateSize && text[4] == '-';
  if (const auto time = audit::ParseTime(is_date ? text + "T00:00:00Z" : text)) return *time;
  if (const auto ago = ParseDuration(text)) return now - *ago;
  return Error(Code::kInvalidArgument,
               "'" + text + "' is no time: 2027-01-31T12:00:00Z, 2027-01-31 and 36h (ago) are");
}

}  // namespace dare::cli

#include "range.h"

#include <charconv>
#include <string>

namespace dare::cli {
namespace {

bool ParseNumber(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<envelope::PlainRange> ParseRange(std::string_view text) {
  envelope::PlainRange range;
  const std::size_t colon = text.find(':');
  const bool good = colon != std::string_view::npos &&
                    ParseNumber(text.substr(0, colon), range.offset) &&
                    (colon + 1 == text.size() || ParseNumber(text.substr(colon + 1), range.length));
  if (good) return range;
  return Error(Code::kInvalidArgument,
               "--range \"" + std::string(text) + "\" is not OFFSET:LENGTH or OFFSET:");
}

}  // namespace dare::cli

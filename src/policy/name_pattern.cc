#include "policy/name_pattern.h"

#include <algorithm>

namespace dare::policy {
namespace {

constexpr std::size_t kMostBytes = 256;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

Result<NamePattern> NamePattern::Parse(std::string_view text) {
  const auto invalid = [&](const char* what) {
    return Error(Code::kInvalidArgument, "'" + std::string(text.substr(0, 64)) + "' " + what);
  };
  if (text.empty()) return Error(Code::kInvalidArgument, "a name must not be empty");
  if (text.size() > kMostBytes) return invalid("has more than 256 bytes");
  if (std::ranges::any_of(text, IsControl)) {
    return Error(Code::kInvalidArgument, "a name has a control character");
  }
  NamePattern pattern;
  const std::size_t star = text.find('*');
  if (star == std::string_view::npos) {
    pattern.before_ = text;
    return pattern;
  }
  pattern.star_ = true;
  pattern.before_ = text.substr(0, star);
  pattern.after_ = text.substr(star + 1);
  if (pattern.after_.find('*') != std::string::npos) return invalid("has more than one '*'");
  return pattern;
}

bool NamePattern::Matches(std::string_view name) const {
  if (!star_) return name == before_;
  return name.size() >= before_.size() + after_.size() && name.starts_with(before_) &&
         name.ends_with(after_);
}

// Two beginnings fit one name when one begins the other, and so do two ends; what is between them
// may be anything.
bool NamePattern::Overlaps(const NamePattern& other) const {
  if (!star_) return other.Matches(before_);
  if (!other.star_) return Matches(other.before_);
  const auto begins = [](std::string_view a, std::string_view b) {
    return a.starts_with(b) || b.starts_with(a);
  };
  const auto ends = [](std::string_view a, std::string_view b) {
    return a.ends_with(b) || b.ends_with(a);
  };
  return begins(before_, other.before_) && ends(after_, other.after_);
}

}  // namespace dare::policy

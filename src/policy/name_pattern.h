#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace dare::policy {

// NamePattern is a name, or a name with one '*' in it that stands for any text, the empty one too.
// Letters count as they are written.
class NamePattern {
 public:
  // kInvalidArgument: empty, longer than 256 bytes, two '*', or a control character.
  static Result<NamePattern> Parse(std::string_view text);

  bool exact() const { return !star_; }
  std::string text() const { return star_ ? before_ + "*" + after_ : before_; }
  bool Matches(std::string_view name) const;
  // True when a name exists that both match.
  bool Overlaps(const NamePattern& other) const;

  friend bool operator==(const NamePattern&, const NamePattern&) = default;

 private:
  std::string before_, after_;  // before_ alone where there is no '*'
  bool star_ = false;
};

}  // namespace dare::policy

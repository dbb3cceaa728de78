#pragma once

#include <string>
#include <vector>

namespace dare::store {

// What a transaction of a database over a network may be besides: one that asks for several facts
// at once where it knows which ones will be wanted.
class ReadsAhead {
 public:
  virtual ~ReadsAhead() = default;
  // These facts will be asked for with GetMeta. Nothing is asked yet: the first of those questions
  // asks for all of them.
  virtual void LookAhead(const std::vector<std::string>& keys) = 0;
};

}  // namespace dare::store

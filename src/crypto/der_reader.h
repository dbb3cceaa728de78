#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::crypto {

// One element of DER, borrowed from what was read.
struct DerView {
  std::uint8_t tag = 0;
  ByteView content;
  ByteView whole;  // with tag and length
};

// A DerReader reads elements one behind the other (X.690, sections 8.1 and 10.1): tags of one byte,
// definite lengths in as few bytes as can be, nothing beyond the bytes that it borrows. kMalformed
// for everything else. It allocates nothing but the text of an error.
class DerReader {
 public:
  explicit DerReader(ByteView bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  // Whether the next element is there and has this tag.
  bool At(std::uint8_t tag) const { return !rest_.empty() && rest_[0] == tag; }
  Result<DerView> Next();
  Result<DerView> Next(std::uint8_t tag);
  // kMalformed when anything is left.
  Result<void> End() const;

 private:
  ByteView rest_;
};

}  // namespace dare::crypto

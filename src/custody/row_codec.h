#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::custody {

// Fields of a row of ours, written one after the other: big-endian numbers, bytes and texts after
// their length.
class RowWriter {
 public:
  void U8(std::uint8_t value) { bytes_.push_back(value); }
  void U64(std::uint64_t value);
  void Variable(ByteView bytes);  // at most 65,535, after two bytes of length
  void Text(const std::string& text) { Variable(AsBytes(text)); }
  Bytes Take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

// Reads them again. After a field that is not there everything is empty, and End tells.
class RowReader {
 public:
  explicit RowReader(ByteView bytes) : rest_(bytes) {}
  std::uint8_t U8();
  std::uint64_t U64();
  Bytes Variable();
  std::string Text();
  // A number from 1 to `most`, as enumerations of ours are.
  template <typename Enum>
  Enum OneOf(Enum most) {
    const std::uint8_t value = U8();
    if (value < 1 || value > static_cast<std::uint8_t>(most)) good_ = false;
    return static_cast<Enum>(value);
  }
  bool good() const { return good_; }
  // kMalformed when a field was missing or bytes are left over.
  Result<void> End() const;

 private:
  ByteView Next(std::size_t size);
  ByteView rest_;
  bool good_ = true;
};

}  // namespace dare::custody

#include "custody/row_codec.h"

#include "base/check.h"

namespace dare::custody {

void RowWriter::U64(std::uint64_t value) {
  std::uint8_t encoded[8];
  PutU64(encoded, value);
  Append(bytes_, encoded);
}

void RowWriter::Variable(ByteView bytes) {
  CHECK(bytes.size() <= 0xffff);
  std::uint8_t length[2];
  PutU16(length, static_cast<std::uint16_t>(bytes.size()));
  Append(bytes_, length);
  Append(bytes_, bytes);
}

ByteView RowReader::Next(std::size_t size) {
  if (!good_ || rest_.size() < size) {
    good_ = false;
    return {};
  }
  const ByteView next = rest_.first(size);
  rest_ = rest_.subspan(size);
  return next;
}

std::uint8_t RowReader::U8() {
  const ByteView next = Next(1);
  return next.empty() ? 0 : next[0];
}

std::uint64_t RowReader::U64() {
  const ByteView next = Next(8);
  return next.empty() ? 0 : GetU64(next.data());
}

Bytes RowReader::Variable() {
  const ByteView length = Next(2);
  return length.empty() ? Bytes() : ToBytes(Next(GetU16(length.data())));
}

std::string RowReader::Text() { return std::string(AsText(Variable())); }

Result<void> RowReader::End() const {
  if (good_ && rest_.empty()) return {};
  return Error(Code::kMalformed, "not a row of this version");
}

}  // namespace dare::custody

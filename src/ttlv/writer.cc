#include "ttlv/writer.h"

#include <cstring>
#include <limits>

#include "base/check.h"

namespace dare::ttlv {
namespace {
constexpr std::size_t kMaxLength = std::numeric_limits<std::uint32_t>::max() - 7;
}

std::uint8_t* Writer::Add(kmip::Tag tag, Type type, std::size_t length) {
  CHECK(length <= kMaxLength);
  const std::size_t at = out_.size();
  out_.resize(at + kHeaderBytes + static_cast<std::size_t>(Padded(length)));
  std::uint8_t* p = out_.data() + at;
  PutU32(p, TagNumber(tag) << 8 | static_cast<std::uint32_t>(type));
  PutU32(p + 4, static_cast<std::uint32_t>(length));
  return p + kHeaderBytes;
}

void Writer::Integer(kmip::Tag tag, std::int32_t value) {
  PutU32(Add(tag, Type::kInteger, 4), static_cast<std::uint32_t>(value));
}

void Writer::LongInteger(kmip::Tag tag, std::int64_t value) {
  PutU64(Add(tag, Type::kLongInteger, 8), static_cast<std::uint64_t>(value));
}

void Writer::BigInteger(kmip::Tag tag, ByteView value) {
  const std::size_t size = value.empty() ? 8 : static_cast<std::size_t>(Padded(value.size()));
  std::uint8_t* p = Add(tag, Type::kBigInteger, size);
  if (value.empty()) return;
  const std::size_t extension = size - value.size();
  std::memset(p, value[0] & 0x80 ? 0xFF : 0, extension);
  std::memcpy(p + extension, value.data(), value.size());
}

void Writer::UnsignedBigInteger(kmip::Tag tag, ByteView magnitude) {
  while (!magnitude.empty() && magnitude[0] == 0) magnitude = magnitude.subspan(1);
  // One byte more, so that the first bit is a zero: the sign.
  const std::size_t size = static_cast<std::size_t>(
      Padded(magnitude.size() + (magnitude.empty() || magnitude[0] & 0x80 ? 1 : 0)));
  std::uint8_t* p = Add(tag, Type::kBigInteger, size);
  if (magnitude.empty()) return;
  std::memcpy(p + size - magnitude.size(), magnitude.data(), magnitude.size());
}

void Writer::Enumeration(kmip::Tag tag, std::uint32_t value) {
  PutU32(Add(tag, Type::kEnumeration, 4), value);
}

void Writer::Boolean(kmip::Tag tag, bool value) { Add(tag, Type::kBoolean, 8)[7] = value ? 1 : 0; }

void Writer::Text(kmip::Tag tag, std::string_view value) {
  std::uint8_t* p = Add(tag, Type::kTextString, value.size());
  if (!value.empty()) std::memcpy(p, value.data(), value.size());
}

void Writer::ByteString(kmip::Tag tag, ByteView value) {
  std::uint8_t* p = Add(tag, Type::kByteString, value.size());
  if (!value.empty()) std::memcpy(p, value.data(), value.size());
}

void Writer::DateTime(kmip::Tag tag, std::int64_t posix_seconds) {
  PutU64(Add(tag, Type::kDateTime, 8), static_cast<std::uint64_t>(posix_seconds));
}

void Writer::Interval(kmip::Tag tag, std::uint32_t seconds) {
  PutU32(Add(tag, Type::kInterval, 4), seconds);
}

void Writer::DateTimeExtended(kmip::Tag tag, std::int64_t microseconds) {
  PutU64(Add(tag, Type::kDateTimeExtended, 8), static_cast<std::uint64_t>(microseconds));
}

Writer::Mark Writer::Begin(kmip::Tag tag) {
  const Mark mark{out_.size()};
  Add(tag, Type::kStructure, 0);
  return mark;
}

void Writer::End(Mark mark) {
  CHECK(out_.size() >= mark.at + kHeaderBytes);
  const std::size_t length = out_.size() - mark.at - kHeaderBytes;
  CHECK(length <= kMaxLength);
  PutU32(out_.data() + mark.at + 4, static_cast<std::uint32_t>(length));
}

void Writer::Raw(ByteView encoded_items) {
  CHECK(encoded_items.size() % 8 == 0);
  Append(out_, encoded_items);
}

void Writer::Retagged(kmip::Tag tag, const Item& item) {
  CHECK(item.whole.size() >= kHeaderBytes);
  const std::size_t at = out_.size();
  Raw(item.whole);
  PutU32(out_.data() + at, TagNumber(tag) << 8 | static_cast<std::uint32_t>(item.type));
}

}  // namespace dare::ttlv

#include "ttlv/item.h"

#include "ttlv/reader.h"

namespace dare::ttlv {
namespace {

Error FaultOf(kmip::Tag tag, std::string_view reason) {
  std::string message = "TTLV item " + TagHex(tag) + ": ";
  message += reason;
  return Error(Code::kMalformed, std::move(message));
}

// Cold, and out of the accessors so that they stay small.
[[gnu::cold, gnu::noinline]] Error WrongType(const Item& item, Type wanted) {
  std::string reason(TypeName(wanted));
  reason += " expected, found ";
  reason += TypeName(item.type);
  return item.Fault(reason);
}

// An Item can be filled in by hand, so the length is looked at where fixed sizes are read.
bool Is(const Item& item, Type type) {
  return item.type == type &&
         LengthFault(type, static_cast<std::uint32_t>(item.value.size())) == nullptr;
}

}  // namespace

Error Item::Fault(std::string_view reason) const { return FaultOf(tag, reason); }

Result<std::int32_t> Item::AsInteger() const {
  if (!Is(*this, Type::kInteger)) return WrongType(*this, Type::kInteger);
  return static_cast<std::int32_t>(GetU32(value.data()));
}

Result<std::int64_t> Item::AsLongInteger() const {
  if (!Is(*this, Type::kLongInteger)) return WrongType(*this, Type::kLongInteger);
  return static_cast<std::int64_t>(GetU64(value.data()));
}

Result<ByteView> Item::AsBigInteger() const {
  if (!Is(*this, Type::kBigInteger)) return WrongType(*this, Type::kBigInteger);
  return value;
}

Result<std::uint32_t> Item::AsEnumeration() const {
  if (!Is(*this, Type::kEnumeration)) return WrongType(*this, Type::kEnumeration);
  return GetU32(value.data());
}

Result<bool> Item::AsBoolean() const {
  if (!Is(*this, Type::kBoolean)) return WrongType(*this, Type::kBoolean);
  const std::uint64_t number = GetU64(value.data());
  if (number > 1) return Fault("Boolean is neither 0 nor 1");
  return number == 1;
}

Result<std::string_view> Item::AsText() const {
  if (type != Type::kTextString) return WrongType(*this, Type::kTextString);
  return dare::AsText(value);
}

Result<ByteView> Item::AsByteString() const {
  if (type != Type::kByteString) return WrongType(*this, Type::kByteString);
  return value;
}

Result<std::int64_t> Item::AsDateTime() const {
  if (!Is(*this, Type::kDateTime)) return WrongType(*this, Type::kDateTime);
  return static_cast<std::int64_t>(GetU64(value.data()));
}

Result<std::uint32_t> Item::AsInterval() const {
  if (!Is(*this, Type::kInterval)) return WrongType(*this, Type::kInterval);
  return GetU32(value.data());
}

Result<std::int64_t> Item::AsDateTimeExtended() const {
  if (!Is(*this, Type::kDateTimeExtended)) return WrongType(*this, Type::kDateTimeExtended);
  return static_cast<std::int64_t>(GetU64(value.data()));
}

Result<Reader> Item::Members() const {
  if (type != Type::kStructure) return WrongType(*this, Type::kStructure);
  return Reader::Members(value);
}

Result<Item> ParseItem(ByteView bytes) {
  if (bytes.size() < kHeaderBytes) return Error(Code::kMalformed, "TTLV: item header is cut off");
  const std::uint32_t tag_and_type = GetU32(bytes.data());
  const std::uint32_t length = GetU32(bytes.data() + 4);
  Item item;
  item.tag = static_cast<kmip::Tag>(tag_and_type >> 8);
  item.type = static_cast<Type>(tag_and_type & 0xFF);
  if (!IsLawfulTag(tag_and_type >> 8)) return item.Fault("tag does not start with 42 or 54");
  if (const char* fault = LengthFault(item.type, length)) return item.Fault(fault);
  if (Padded(length) > bytes.size() - kHeaderBytes) return item.Fault("longer than its container");
  item.value = bytes.subspan(kHeaderBytes, length);
  item.whole = bytes.first(kHeaderBytes + static_cast<std::size_t>(Padded(length)));
  return item;
}

}  // namespace dare::ttlv

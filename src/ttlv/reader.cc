#include "ttlv/reader.h"

namespace dare::ttlv {

Result<Reader> Reader::Open(ByteView bytes) {
  const Item item = TRY(ParseItem(bytes));
  if (item.whole.size() != bytes.size()) return item.Fault("bytes behind the structure");
  return item.Members();
}

Result<Item> Reader::Peek() const {
  if (rest_.empty())
    return Error(Code::kMalformed, "TTLV: an item is missing at the end of a structure");
  return ParseItem(rest_);
}

Result<Item> Reader::Next() {
  const Item item = TRY(Peek());
  rest_ = rest_.subspan(item.whole.size());
  return item;
}

Result<Item> Reader::Expect(kmip::Tag tag) const {
  if (!At(tag)) [[unlikely]] {
    std::string message = "TTLV item " + TagHex(tag) + " is missing: found ";
    message += rest_.size() < kHeaderBytes ? "the end of the structure" : TagHex(this->tag());
    return Error(Code::kMalformed, std::move(message));
  }
  return ParseItem(rest_);
}

Result<Item> Reader::Any(kmip::Tag tag) {
  const Item item = TRY(Expect(tag));
  rest_ = rest_.subspan(item.whole.size());
  return item;
}

Result<void> Reader::Skip() {
  TRY(Next());
  return {};
}

Result<void> Reader::End() const {
  if (rest_.empty()) return {};
  if (rest_.size() < kHeaderBytes) return Error(Code::kMalformed, "TTLV: item header is cut off");
  return Error(Code::kMalformed, "TTLV item " + TagHex(tag()) + " does not belong here");
}

template <typename T>
Result<T> Reader::Take(kmip::Tag tag, Result<T> (Item::*as)() const) {
  const Item item = TRY(Expect(tag));
  Result<T> value = (item.*as)();
  if (value.has_value()) rest_ = rest_.subspan(item.whole.size());
  return value;
}

template <typename T>
Result<std::optional<T>> Reader::TakeOptional(kmip::Tag tag, Result<T> (Item::*as)() const) {
  if (!At(tag)) return std::optional<T>();
  return std::optional<T>(TRY(Take(tag, as)));
}

Result<std::int32_t> Reader::Integer(kmip::Tag tag) { return Take(tag, &Item::AsInteger); }
Result<std::int64_t> Reader::LongInteger(kmip::Tag tag) { return Take(tag, &Item::AsLongInteger); }
Result<ByteView> Reader::BigInteger(kmip::Tag tag) { return Take(tag, &Item::AsBigInteger); }
Result<std::uint32_t> Reader::Enumeration(kmip::Tag tag) { return Take(tag, &Item::AsEnumeration); }
Result<bool> Reader::Boolean(kmip::Tag tag) { return Take(tag, &Item::AsBoolean); }
Result<std::string_view> Reader::Text(kmip::Tag tag) { return Take(tag, &Item::AsText); }
Result<ByteView> Reader::ByteString(kmip::Tag tag) { return Take(tag, &Item::AsByteString); }
Result<std::int64_t> Reader::DateTime(kmip::Tag tag) { return Take(tag, &Item::AsDateTime); }
Result<std::uint32_t> Reader::Interval(kmip::Tag tag) { return Take(tag, &Item::AsInterval); }
Result<std::int64_t> Reader::DateTimeExtended(kmip::Tag tag) {
  return Take(tag, &Item::AsDateTimeExtended);
}
Result<Reader> Reader::Structure(kmip::Tag tag) { return Take(tag, &Item::Members); }

Result<std::optional<std::int32_t>> Reader::OptionalInteger(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsInteger);
}
Result<std::optional<std::int64_t>> Reader::OptionalLongInteger(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsLongInteger);
}
Result<std::optional<ByteView>> Reader::OptionalBigInteger(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsBigInteger);
}
Result<std::optional<std::uint32_t>> Reader::OptionalEnumeration(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsEnumeration);
}
Result<std::optional<bool>> Reader::OptionalBoolean(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsBoolean);
}
Result<std::optional<std::string_view>> Reader::OptionalText(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsText);
}
Result<std::optional<ByteView>> Reader::OptionalByteString(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsByteString);
}
Result<std::optional<std::int64_t>> Reader::OptionalDateTime(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsDateTime);
}
Result<std::optional<std::uint32_t>> Reader::OptionalInterval(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsInterval);
}
Result<std::optional<std::int64_t>> Reader::OptionalDateTimeExtended(kmip::Tag tag) {
  return TakeOptional(tag, &Item::AsDateTimeExtended);
}
Result<std::optional<Reader>> Reader::OptionalStructure(kmip::Tag tag) {
  return TakeOptional(tag, &Item::Members);
}

}  // namespace dare::ttlv

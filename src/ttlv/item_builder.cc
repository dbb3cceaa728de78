#include "ttlv/item_builder.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "ttlv/value_text.h"

namespace dare::ttlv {
namespace {

Error Named(kmip::Tag tag, const Vocabulary& vocabulary, const Error& error) {
  const std::string_view name = vocabulary.TagName(tag);
  return error.In(name.empty() ? "item " + TagHex(tag) : std::string(name));
}

}  // namespace

Result<void> ItemBuilder::Admit(std::size_t value_bytes) {
  if (open_.empty() && items_ != 0) return Error(Code::kMalformed, "more than one item");
  if (++items_ > limits_.max_items) return Error(Code::kTooLarge, "too many items");
  const std::size_t room =
      limits_.max_message_bytes - std::min(bytes_.size(), limits_.max_message_bytes);
  if (room < kHeaderBytes || value_bytes > room - kHeaderBytes) {
    return Error(Code::kTooLarge, "message over the length limit");
  }
  return {};
}

Result<void> ItemBuilder::Begin(kmip::Tag tag) {
  TRY(Admit(0));
  if (open_.size() >= std::min(limits_.max_depth, kDeepestNesting)) {
    return Error(Code::kTooLarge, "nested too deeply");
  }
  if (!open_.empty()) open_.back().empty = false;
  open_.push_back({out_.Begin(tag)});
  return {};
}

Result<void> ItemBuilder::End(kmip::Tag tag) {
  CHECK(!open_.empty());
  const Writer::Mark mark = open_.back().mark;
  open_.pop_back();
  out_.End(mark);
  PutU32(bytes_.data() + mark.at,
         TagNumber(tag) << 8 | static_cast<std::uint32_t>(Type::kStructure));
  return {};
}

Result<void> ItemBuilder::Add(kmip::Tag tag, Type type, std::string_view text) {
  const bool is_text = type == Type::kTextString || IsDraft3Type(type);
  const bool is_bytes = type == Type::kByteString || type == Type::kBigInteger;
  const std::size_t value = is_text ? text.size() : is_bytes ? text.size() / 2 : 8;
  TRY(Admit(static_cast<std::size_t>(Padded(value))));
  const kmip::Tag named = open_.empty() ? kmip::Tag{} : open_.back().named;
  auto added = AddValue(tag, type, vocabulary_.FieldOf(tag, named), text);
  if (!added) return Named(tag, vocabulary_, added.error());
  if (open_.empty()) return {};
  Open& parent = open_.back();
  if (parent.empty && is_text) parent.named = vocabulary_.NamedField(tag, text);
  parent.empty = false;
  return {};
}

Result<void> ItemBuilder::AddValue(kmip::Tag tag, Type type, kmip::Tag field,
                                   std::string_view text) {
  switch (type) {
    case Type::kInteger:
      out_.Integer(tag, TRY(ParseInteger(text, field, vocabulary_)));
      return {};
    case Type::kLongInteger:
      out_.LongInteger(tag, TRY(ParseLongInteger(text)));
      return {};
    case Type::kEnumeration:
      out_.Enumeration(tag, TRY(ParseEnumeration(text, field, vocabulary_)));
      return {};
    case Type::kBoolean:
      out_.Boolean(tag, TRY(ParseBoolean(text)));
      return {};
    case Type::kTextString:
      if (!IsValidUtf8(AsBytes(text))) return Error(Code::kMalformed, "not UTF-8");
      out_.Text(tag, text);
      return {};
    case Type::kIdentifier:
    case Type::kReference:
    case Type::kNameReference: {
      if (!limits_.draft3_types) break;
      if (!IsValidUtf8(AsBytes(text))) return Error(Code::kMalformed, "not UTF-8");
      const std::size_t at = bytes_.size();
      out_.Text(tag, text);
      bytes_[at + 3] = static_cast<std::uint8_t>(type);
      return {};
    }
    case Type::kBigInteger:
    case Type::kByteString:
      return AddBytes(tag, type, text);
    case Type::kDateTime:
      out_.DateTime(tag, TRY(ParseDateTime(text)));
      return {};
    case Type::kInterval:
      out_.Interval(tag, TRY(ParseInterval(text)));
      return {};
    case Type::kDateTimeExtended:
      out_.DateTimeExtended(tag, TRY(ParseDateTimeExtended(text)));
      return {};
    case Type::kStructure:
      break;
  }
  return Error(Code::kMalformed, "a type that is unknown here");
}

Result<void> ItemBuilder::AddBytes(kmip::Tag tag, Type type, std::string_view text) {
  WipingBytes value;
  if (type == Type::kByteString) {
    TRY(ParseHex(text, value));
    out_.ByteString(tag, value);
    return {};
  }
  // JSON writes "0x" before a Big Integer, XML does not.
  TRY(ParseHex(text.starts_with("0x") ? text.substr(2) : text, value));
  if (value.empty() || value.size() % 8 != 0) {
    return Error(Code::kMalformed, "a Big Integer is a multiple of 8 bytes");
  }
  out_.BigInteger(tag, value);
  return {};
}

Result<WipingBytes> ItemBuilder::Finish() {
  if (items_ == 0 || !open_.empty()) return Error(Code::kMalformed, "not a whole item");
  return std::move(bytes_);
}

WipingBytes ItemBuilder::Begun() {
  for (; !open_.empty(); open_.pop_back()) out_.End(open_.back().mark);
  return std::move(bytes_);
}

}  // namespace dare::ttlv

#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "ttlv/item.h"

namespace dare::ttlv {

// A Reader is a cursor over the members of one structure. It copies nothing: what it returns are
// views into the bytes it was given, which must outlive it. One thread; copying a Reader copies the
// position, so a look ahead is `Reader ahead = in`.
//
// Every call checks tag, type, length and bounds of the item it takes, so bytes that nobody
// validated are safe to read; UTF-8, zero padding, depth and count are Validate's business.
// Failures are kMalformed with the tag and the reason. A refused item is not taken.
//
//   request.id = TRY(in.OptionalText(Tag::kUniqueIdentifier));
//   request.type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
//   TRY(in.End());
class Reader {
 public:
  // `item` is one whole structure, header included, and nothing behind it.
  static Result<Reader> Open(ByteView item);
  // `members` are the encoded members of a structure, without its header.
  static Reader Members(ByteView members) { return Reader(members); }

  bool AtEnd() const { return rest_.empty(); }
  // True when the next item has this tag.
  bool At(kmip::Tag tag) const {
    return rest_.size() >= kHeaderBytes && GetU32(rest_.data()) >> 8 == TagNumber(tag);
  }
  // Of the next item; 0 (no lawful tag, no type) at the end.
  kmip::Tag tag() const {
    return static_cast<kmip::Tag>(rest_.size() < kHeaderBytes ? 0 : GetU32(rest_.data()) >> 8);
  }
  Type type() const { return static_cast<Type>(rest_.size() < kHeaderBytes ? 0 : rest_[3]); }

  Result<std::int32_t> Integer(kmip::Tag tag);
  Result<std::int64_t> LongInteger(kmip::Tag tag);
  Result<ByteView> BigInteger(kmip::Tag tag);
  Result<std::uint32_t> Enumeration(kmip::Tag tag);
  Result<bool> Boolean(kmip::Tag tag);
  Result<std::string_view> Text(kmip::Tag tag);
  Result<ByteView> ByteString(kmip::Tag tag);
  Result<std::int64_t> DateTime(kmip::Tag tag);
  Result<std::uint32_t> Interval(kmip::Tag tag);
  Result<std::int64_t> DateTimeExtended(kmip::Tag tag);
  Result<Reader> Structure(kmip::Tag tag);
  // The number is not looked up: the value may be one that E does not name.
  template <typename E>
  Result<E> Enum(kmip::Tag tag) {
    return static_cast<E>(TRY(Enumeration(tag)));
  }

  // The same, or nothing when the next item has another tag (or there is none).
  Result<std::optional<std::int32_t>> OptionalInteger(kmip::Tag tag);
  Result<std::optional<std::int64_t>> OptionalLongInteger(kmip::Tag tag);
  Result<std::optional<ByteView>> OptionalBigInteger(kmip::Tag tag);
  Result<std::optional<std::uint32_t>> OptionalEnumeration(kmip::Tag tag);
  Result<std::optional<bool>> OptionalBoolean(kmip::Tag tag);
  Result<std::optional<std::string_view>> OptionalText(kmip::Tag tag);
  Result<std::optional<ByteView>> OptionalByteString(kmip::Tag tag);
  Result<std::optional<std::int64_t>> OptionalDateTime(kmip::Tag tag);
  Result<std::optional<std::uint32_t>> OptionalInterval(kmip::Tag tag);
  Result<std::optional<std::int64_t>> OptionalDateTimeExtended(kmip::Tag tag);
  Result<std::optional<Reader>> OptionalStructure(kmip::Tag tag);
  template <typename E>
  Result<std::optional<E>> OptionalEnum(kmip::Tag tag) {
    if (!At(tag)) return std::optional<E>();
    return std::optional<E>(TRY(Enum<E>(tag)));
  }

  // Takes the next item, whatever it is.
  Result<Item> Next();
  // Takes the next item, which must have this tag; any type.
  Result<Item> Any(kmip::Tag tag);
  // Looks at the next item without taking it.
  Result<Item> Peek() const;
  Result<void> Skip();
  // Refuses leftovers.
  Result<void> End() const;
  // The encoded items not yet taken.
  ByteView rest() const { return rest_; }

 private:
  explicit Reader(ByteView members) : rest_(members) {}
  template <typename T>
  Result<T> Take(kmip::Tag tag, Result<T> (Item::*as)() const);
  template <typename T>
  Result<std::optional<T>> TakeOptional(kmip::Tag tag, Result<T> (Item::*as)() const);
  // The next item if it has this tag, not yet taken.
  Result<Item> Expect(kmip::Tag tag) const;

  ByteView rest_;
};

}  // namespace dare::ttlv

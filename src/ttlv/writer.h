#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "ttlv/item.h"

namespace dare::ttlv {

// A Writer appends encoded items to a wiping buffer: its own, or one the caller lends and keeps
// alive. Structures are written in one pass, their lengths patched when they end. Nothing can fail
// but our own bugs (a value over 4 GiB is a CHECK). One thread.
//
//   Writer out(buffer);
//   out.Structure(Tag::kResponsePayload, [&] {
//     out.Text(Tag::kUniqueIdentifier, id);
//   });
class Writer {
 public:
  Writer() : out_(own_) {}
  explicit Writer(WipingBytes& out) : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Integer(kmip::Tag tag, std::int32_t value);
  void LongInteger(kmip::Tag tag, std::int64_t value);
  // `value` is two's complement, big-endian, of any size; it is sign-extended to a multiple of 8.
  void BigInteger(kmip::Tag tag, ByteView value);
  // `magnitude` is an unsigned big-endian number (an RSA modulus, …) of any size.
  void UnsignedBigInteger(kmip::Tag tag, ByteView magnitude);
  void Enumeration(kmip::Tag tag, std::uint32_t value);
  template <typename E>
  void Enum(kmip::Tag tag, E value) {
    static_assert(std::is_enum_v<E> && sizeof(E) == 4);
    Enumeration(tag, static_cast<std::uint32_t>(value));
  }
  void Boolean(kmip::Tag tag, bool value);
  void Text(kmip::Tag tag, std::string_view value);
  void ByteString(kmip::Tag tag, ByteView value);
  void DateTime(kmip::Tag tag, std::int64_t posix_seconds);
  void Interval(kmip::Tag tag, std::uint32_t seconds);
  void DateTimeExtended(kmip::Tag tag, std::int64_t microseconds);

  // Where a structure began; to be given back to End, innermost first.
  struct Mark {
    std::size_t at;
  };
  [[nodiscard]] Mark Begin(kmip::Tag tag);
  void End(Mark mark);

  // Writes a structure around what `members` writes, and returns what `members` returns.
  template <typename Members>
  auto Structure(kmip::Tag tag, Members&& members) {
    const Mark mark = Begin(tag);
    if constexpr (std::is_void_v<decltype(members())>) {
      std::forward<Members>(members)();
      End(mark);
    } else {
      auto result = std::forward<Members>(members)();
      End(mark);
      return result;
    }
  }

  // Splices items that are encoded already; a multiple of 8 bytes, and not out of this buffer.
  void Raw(ByteView encoded_items);
  // The item as it is, or under another tag.
  void Copy(const Item& item) { Raw(item.whole); }
  void Retagged(kmip::Tag tag, const Item& item);

  // Bytes in the buffer, what was there before included.
  std::size_t size() const { return out_.size(); }
  ByteView bytes() const { return out_; }
  // Drops everything behind `size`, a former size() outside of any structure begun since.
  void Truncate(std::size_t size) { out_.resize(size); }
  void Reserve(std::size_t more) { out_.reserve(out_.size() + more); }
  // Gives the buffer away and starts an empty one.
  WipingBytes Take() { return std::exchange(out_, WipingBytes()); }

 private:
  // Appends a header and zeroes for `length` padded bytes; returns where the value goes.
  std::uint8_t* Add(kmip::Tag tag, Type type, std::size_t length);

  WipingBytes own_;
  WipingBytes& out_;
};

}  // namespace dare::ttlv

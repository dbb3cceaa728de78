#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "ttlv/tag.h"
#include "ttlv/type.h"

namespace dare::ttlv {

class Reader;

// An Item is a view of one encoded item: it owns nothing and lives as long as the bytes it was
// parsed from. Thread-safe as any value.
//
// The accessors refuse another type than theirs (kMalformed, with tag and reason); they check
// length and Boolean value themselves, so an Item of bytes nobody validated is safe to use. UTF-8
// and zero padding are Validate's business.
struct Item {
  kmip::Tag tag{};
  Type type{};
  ByteView value;  // without padding
  ByteView whole;  // header, value, padding

  Result<std::int32_t> AsInteger() const;
  Result<std::int64_t> AsLongInteger() const;
  Result<ByteView> AsBigInteger() const;  // two's complement, a multiple of 8 bytes
  Result<std::uint32_t> AsEnumeration() const;
  Result<bool> AsBoolean() const;
  Result<std::string_view> AsText() const;
  Result<ByteView> AsByteString() const;
  Result<std::int64_t> AsDateTime() const;          // POSIX seconds
  Result<std::uint32_t> AsInterval() const;         // seconds
  Result<std::int64_t> AsDateTimeExtended() const;  // microseconds since the epoch
  // A cursor over the members; needs ttlv/reader.h.
  Result<Reader> Members() const;

  // kMalformed naming this item's tag.
  Error Fault(std::string_view reason) const;
};

// The first item of `bytes`, which may be followed by others. Checks tag, type, length and bounds;
// members of a structure are not looked at.
Result<Item> ParseItem(ByteView bytes);

}  // namespace dare::ttlv

#pragma once

#include <optional>

#include "base/bytes.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// A Byte String that may be absent, as the cryptographic operations have many of them. Absent and
// empty are different: the ciphertext of nothing is there, and empty.
template <typename Buffer>
void WriteOptionalBytes(ttlv::Writer& out, Tag tag, const std::optional<Buffer>& bytes) {
  if (bytes) out.ByteString(tag, *bytes);
}

// The same, copied out of the message into a Bytes or WipingBytes.
template <typename Buffer>
Result<std::optional<Buffer>> CopyOptionalBytes(ttlv::Reader& in, Tag tag) {
  const std::optional<ByteView> bytes = TRY(in.OptionalByteString(tag));
  if (!bytes) return std::optional<Buffer>();
  return std::optional<Buffer>(Buffer(bytes->begin(), bytes->end()));
}

}  // namespace dare::kmip

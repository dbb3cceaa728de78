#pragma once

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace dare::crypto {

enum class HkdfHash : std::uint8_t { kSha256, kSha384, kSha512 };
std::size_t HashSize(HkdfHash hash);

// HKDF in its two steps (RFC 5869). Inputs are borrowed; results are secrets. Stateless.
// RFC 5869, section 2.2: an empty salt counts as HashLen zero bytes.
Result<SecretBytes> HkdfExtract(HkdfHash hash, ByteView salt, ByteView input_key);
// kInvalidArgument when `length` is 0 or above 255 hash lengths.
Result<SecretBytes> HkdfExpand(HkdfHash hash, ByteView prk, ByteView info, std::size_t length);

}  // namespace dare::crypto

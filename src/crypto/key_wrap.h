#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"

// AES key wrap. Deterministic, authenticated, made for keys and for nothing longer. Thread-safe.
namespace dare::crypto {

enum class KeyWrapMode : std::uint8_t {
  kAesKw,  // RFC 3394 = SP 800-38F KW = KMIP NISTKeyWrap: keys of 16 bytes or more, in whole 8-byte
           // units
  kAesKwp,  // RFC 5649 = SP 800-38F KWP = KMIP AESKeyWrapPadding: keys of 1 byte or more
};

// The wrapping key is 16, 24 or 32 bytes. kInvalidArgument for lengths that do not fit, kTooLarge
// above 64 KiB.
Result<Bytes> WrapKey(KeyWrapMode mode, ByteView wrapping_key, ByteView key);

// kDamaged when `wrapped` was not made by this key, or not by this mode: one text for all of it.
Result<SecretBytes> UnwrapKey(KeyWrapMode mode, ByteView wrapping_key, ByteView wrapped);

}  // namespace dare::crypto

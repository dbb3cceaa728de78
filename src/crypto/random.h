#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace dare::crypto {
// Fills `out` from OpenSSL's DRBG, which the operating system seeds. For nonces, identifiers and
// RNG Retrieve; keys come from SecretBytes::Random. kUnavailable when the generator fails.
// Thread-safe.
Result<void> RandomBytes(MutableBytes out);
// Mixes `seed` into OpenSSL's DRBG as additional input (SP 800-90A 9.2), counted as no entropy:
// whoever gives it can make the generator no worse. Thread-safe.
void AddToRandom(ByteView seed);
}  // namespace dare::crypto

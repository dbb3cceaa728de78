#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace dare::crypto {
// Fills `out` from OpenSSL's DRBG, which the operating system seeds. For nonces, identifiers and
// RNG Retrieve; keys come from SecretBytes::Random. kUnavailable when the generator fails.
// Thread-safe.
Result<void> RandomBytes(MutableBytes out);
}  // namespace dare::crypto

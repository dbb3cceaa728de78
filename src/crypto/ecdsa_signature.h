#pragma once

#include "base/bytes.h"

namespace dare::crypto {

// r and s of equal length, as PKCS#11 and JSON Web Signatures give them, made the DER sequence of
// RFC 3279, 2.2.3. `raw` has an even number of bytes, at most 2 × 66 (P-521).
Bytes DerSignature(ByteView raw);

}  // namespace dare::crypto

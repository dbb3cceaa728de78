#pragma once

#include "base/bytes.h"

namespace dare::hsm {

// What PKCS#11 gives as r and s of equal length, as the DER sequence of RFC 3279, 2.2.3. `raw` has
// an even number of bytes, at most 2 × 66 (P-521).
Bytes DerSignature(ByteView raw);

}  // namespace dare::hsm

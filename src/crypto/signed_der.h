#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/certificate_builder.h"

// What certificates and revocation lists have in common: a body, the algorithm and the signature,
// put together here because the key is where OpenSSL cannot sign with it. RFC 5280, 4.1 and 5.1.
namespace dare::crypto {

// One DER element. X.690, sections 8.1.3 and 10.1.
Bytes DerElement(std::uint8_t tag, ByteView content);

// AlgorithmIdentifier of sha256WithRSAEncryption or ecdsa-with-SHA256, DER.
ByteView SignatureAlgorithm(bool rsa);

// The whole of `body` (a DER element that names the algorithm already) and its signature.
Result<Bytes> SignedDer(Bytes body, bool rsa, const DigestSigner& sign);

}  // namespace dare::crypto

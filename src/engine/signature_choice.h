#pragma once

#include "crypto/signature.h"
#include "kmip/cryptographic_parameters.h"

namespace dare::engine {

// What is signed: the data, or a hash of it that the client has computed.
enum class Signed { kData, kDigest };

// How Sign and Signature Verify go with a key and these parameters, which have the object's
// defaults in them: from the Digital Signature Algorithm where there is one, otherwise from Hashing
// Algorithm and Padding Method. The algorithm is the key's own: the published case CS-AC-M-3-ECC
// names RSA and PSS for an elliptic curve key and expects its signature to be Valid.
// Bad/Unsupported Cryptographic Parameters.
//
//= kmip-1.4 3.6 Cryptographic Parameters
//# Salt Length […] if omitted, defaults to the block size of the Mask Generator Hashing Algorithm
//# Mask Generator Hashing Algorithm […] if omitted defaults to SHA-1
// The published cases have the hash of the signature in both places, and so it is here; a signature
// to be verified may have any salt.
Result<crypto::SignatureScheme> ChooseSignature(const kmip::CryptographicParameters& parameters,
                                                const crypto::KeyFacts& key, Signed what);

}  // namespace dare::engine

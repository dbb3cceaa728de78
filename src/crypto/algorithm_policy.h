#pragma once

#include <cstddef>

#include "base/result.h"
#include "crypto/algorithms.h"
#include "crypto/asymmetric_key.h"

// Which algorithms, modes and lengths may be used at all: pure functions of data, asked by every
// function of this folder before it computes. Refusals are kDenied where `allow_legacy` would allow
// it, kInvalidArgument where a length is wrong whatever the policy, kUnsupported where algorithm
// and mode do not go together. Sources: NIST SP 800-131A rev. 2 (3DES, HMAC key lengths), SP
// 800-38D 5.2.1.2 (tag lengths), SP 800-38A, FIPS 186-5 and SP 800-186 (DSA and binary curves are
// withdrawn or deprecated, 112 bits of strength at least).
namespace dare::crypto {

// The default refuses 3DES, Camellia, ARIA, one-time pads, DES, RC4, MD5, plain SHA-1, ECB,
// authentication tags under 96 bits and HMAC keys under 112 bits, RSA and DH under 2048 bits,
// curves under 224 bits or over binary fields, DSA. `allow_legacy` lets them pass for peers that
// can do no better. AES under 128 bits never passes.
struct AlgorithmPolicy {
  bool allow_legacy = false;
};

// `key_bytes` is the length of the whole key (XTS: both halves); `tag_bytes` counts for GCM, CCM
// and ChaCha20-Poly1305 only.
Result<void> CheckCipher(const AlgorithmPolicy& policy, CipherAlgorithm algorithm, CipherMode mode,
                         std::size_t key_bytes, std::size_t tag_bytes);
Result<void> CheckHash(const AlgorithmPolicy& policy, HashAlgorithm hash);
// HMAC; SHA-1 is still sound inside it.
Result<void> CheckHmac(const AlgorithmPolicy& policy, HashAlgorithm hash, std::size_t key_bytes);
// A key about to be made or registered. 3DES counts with or without its parity bits: 112, 128, 168,
// 192.
Result<void> CheckKey(const AlgorithmPolicy& policy, KeyAlgorithm algorithm, std::size_t bits);
// The same for a key of a public-key algorithm, whichever half.
Result<void> CheckKey(const AlgorithmPolicy& policy, const KeyFacts& key);

}  // namespace dare::crypto

#pragma once

#include "base/result.h"
#include "crypto/algorithms.h"
#include "crypto/asymmetric_key.h"

// What FIPS 140-3's approved security functions are (SP 800-140C and D): pure functions of data,
// asked by the algorithm policy when the process is confined to them (fips_policy.h). They say
// nothing of lengths that the policy refuses anyway. Refusals are kDenied.
namespace dare::crypto {

// AES in the modes of SP 800-38A, C, D, E (ECB is the policy's to refuse). Not ChaCha20 and
// Poly1305, Camellia, ARIA, and not 3DES any more, which ended in 2023 (SP 800-131A rev. 2, 2).
Result<void> RequireApproved(CipherAlgorithm algorithm);
// SHA-2 and SHA-3 (FIPS 180-4, 202), and SHA-1, which is approved inside HMAC, MGF1 and OAEP; the
// policy refuses it as a plain hash.
Result<void> RequireApproved(HashAlgorithm hash);
// What a key to be made or registered is for.
Result<void> RequireApproved(KeyAlgorithm algorithm);
// RSA; EC on P-224, P-256, P-384 and P-521 (SP 800-186); Ed25519 and Ed448 (FIPS 186-5); DH (SP
// 800-56A rev. 3). Not X25519 and X448 (not in SP 800-56A), other curves, DSA (FIPS 186-5, 1).
Result<void> RequireApproved(const KeyFacts& key);

}  // namespace dare::crypto

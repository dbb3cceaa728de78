#pragma once

#include "crypto/secret_sharing.h"

// The part of secret_sharing.h that counts modulo a prime, on OpenSSL's numbers.
namespace dare::crypto {

Result<void> CheckPrime(const SharingScheme& scheme);
// The scheme was checked, the secret is not empty, the parts fit together and are as many as the
// threshold.
Result<std::vector<SecretPart>> SplitInPrimeField(const SharingScheme& scheme, ByteView secret,
                                                  const RandomSource& random);
Result<SecretBytes> JoinInPrimeField(const SharingScheme& scheme, std::span<const SecretPart> parts,
                                     std::size_t secret_bytes);

}  // namespace dare::crypto

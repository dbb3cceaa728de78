#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/random_source.h"

// Secrets in parts, of which a threshold opens them and one less opens nothing (Shamir 1979, in the
// fields of kmip-2.1 13.1). For split keys, and for whatever else a quorum shall hold.
//
// Arithmetic on secrets takes the same time and touches the same memory whatever they are; lengths,
// numbers of parts and the identifiers of parts are public. Stateless, thread-safe.
namespace dare::crypto {

enum class SharingMethod : std::uint8_t {
  kXor,         // all parts are needed
  kGf256,       // byte by byte in GF(2)[x]/(x^8+x^4+x^3+x^2+1), polynomial 285
  kGf65536,     // two bytes at a time in GF(2^8)[y]/(y^2+y+0x3a) over that field
  kPrimeField,  // the secret as one number modulo a prime
};

struct SharingScheme {
  SharingMethod method = SharingMethod::kGf256;
  std::uint32_t parts = 0;
  std::uint32_t threshold = 0;
  Bytes prime;  // kPrimeField: big-endian, greater than every secret of its length
};

// One part. Its identifier, from 1, is the place on the polynomial.
struct SecretPart {
  std::uint32_t identifier = 0;
  SecretBytes bytes;
};

inline constexpr std::uint32_t kMostParts = 255;

// kInvalidArgument: no parts, a threshold above them, more parts than the field has places (or than
// kMostParts), XOR with a threshold below the parts, a prime that is none. `scheme.threshold` 1 is
// permitted: then every part is the secret.
Result<void> CheckScheme(const SharingScheme& scheme);

// A random prime of one bit more than `secret_bytes` have, for kPrimeField.
Result<Bytes> MakeSharingPrime(std::size_t secret_bytes);

// Parts 1 to scheme.parts. Their length is that of the secret (kGf65536: rounded up to two;
// kPrimeField: that of the prime). kInvalidArgument as above, for an empty secret, and for a prime
// that is too small; kTooLarge where the work is out of proportion.
Result<std::vector<SecretPart>> SplitSecret(const SharingScheme& scheme, ByteView secret,
                                            const RandomSource& random);

// The secret, `secret_bytes` long. kDamaged, one text, where there are fewer parts than the
// threshold, one twice, lengths that differ, an identifier out of range, parts beyond the threshold
// that disagree, or a number that is longer than `secret_bytes`.
Result<SecretBytes> JoinSecret(const SharingScheme& scheme, std::span<const SecretPart> parts,
                               std::size_t secret_bytes);

}  // namespace dare::crypto

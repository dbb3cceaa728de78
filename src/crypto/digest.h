#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/algorithm_policy.h"
#include "crypto/algorithms.h"

// Hashes of whole messages, FIPS 180-4 and 202 (and RFC 1321 for old peers). Thread-safe.
namespace dare::crypto {

std::size_t DigestBytes(HashAlgorithm hash);
// kDenied where the policy refuses the hash.
Result<Bytes> Digest(HashAlgorithm hash, ByteView data, const AlgorithmPolicy& policy = {});

using Sha256Digest = std::array<std::uint8_t, 32>;
// For our own records. CHECKs that OpenSSL computes SHA-256, which it cannot lack.
Sha256Digest Sha256(ByteView data);

}  // namespace dare::crypto

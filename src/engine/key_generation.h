#pragma once

#include <cstdint>

#include "base/secret_bytes.h"
#include "crypto/algorithm_policy.h"
#include "crypto/random_source.h"
#include "kmip/enums.h"

namespace dare::engine {

// May a symmetric key of this algorithm and length exist here? Algorithms that this server cannot
// use are kept for their owner (`generated` false) but not made. Invalid Field for a length that
// the algorithm does not have, Permission Denied where the policy refuses it, kUnsupported.
Result<void> CheckSymmetricKey(const crypto::AlgorithmPolicy& policy,
                               kmip::CryptographicAlgorithm algorithm, std::int32_t bits,
                               bool generated);

// The bytes of key material that `bits` of Cryptographic Length stand for: 3DES counts its key
// bits, and keeps a parity bit in each byte.
std::size_t MaterialBytes(kmip::CryptographicAlgorithm algorithm, std::int32_t bits);

// The length in bits that a new key gets when nobody asks for one; 0 when there is no such thing.
std::int32_t DefaultLength(kmip::CryptographicAlgorithm algorithm);

// A whole Symmetric Key structure with fresh material.
Result<SecretBytes> GenerateSymmetricKey(kmip::CryptographicAlgorithm algorithm, std::int32_t bits,
                                         const crypto::RandomSource& random);

// Strong enough against a quantum computer: Grover's search halves the bits.
bool IsQuantumSafe(kmip::CryptographicAlgorithm algorithm, std::int32_t bits);

}  // namespace dare::engine

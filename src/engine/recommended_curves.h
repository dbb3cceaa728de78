#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/asymmetric_key.h"
#include "kmip/enums.h"

// KMIP's Recommended Curves (kmip-2.1 11.42; kmip-1.4 9.1.3.2.5) and keys on them.
namespace dare::engine {

// What a key on `curve` is: a named curve of OpenSSL's, or a family of its own (Curve25519 is
// Ed25519 with that Cryptographic Algorithm, X25519 otherwise). Nothing for unknown curves.
std::optional<crypto::KeySpecification> OnCurve(
    kmip::RecommendedCurve curve, std::optional<kmip::CryptographicAlgorithm> algorithm);
std::optional<kmip::RecommendedCurve> CurveOf(const crypto::KeyFacts& key);

// The curve of a key for which only a length was asked: the NIST curve over a prime field.
std::optional<kmip::RecommendedCurve> CurveOfLength(std::int32_t bits);

// Whether a key of this kind may carry this Cryptographic Algorithm.
bool GoTogether(const crypto::KeyFacts& key, kmip::CryptographicAlgorithm algorithm);
// The Cryptographic Algorithm of a key that came without one; `has_ec`: the version knows EC.
kmip::CryptographicAlgorithm AlgorithmOf(const crypto::KeyFacts& key, bool has_ec);
// Algorithms that come as key pairs.
bool IsAsymmetric(kmip::CryptographicAlgorithm algorithm);

}  // namespace dare::engine

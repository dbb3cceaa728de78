#pragma once

#include "crypto/random_source.h"
#include "kmip/payloads/query.h"

namespace dare::engine {

// The generator that makes keys here, as Query and the attribute Random Number Generator tell it:
// CTR_DRBG with AES-256 (NIST SP 800-90A), or what the configuration chose instead.
inline kmip::RngParameters ServerRng(const crypto::RandomSource& random) {
  const bool drbg = random.generator() == crypto::RandomGenerator::kDrbg;
  return {.algorithm = drbg ? kmip::RNGAlgorithm::kDRBG : kmip::RNGAlgorithm::kANSIX9_31,
          .cryptographic_algorithm = kmip::CryptographicAlgorithm::kAES,
          .cryptographic_length = 256};
}

}  // namespace dare::engine

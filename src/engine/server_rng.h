#pragma once

#include "kmip/payloads/query.h"

namespace dare::engine {

// The generator that makes keys here: OpenSSL's CTR_DRBG with AES-256 (NIST SP 800-90A), as Query
// and the attribute Random Number Generator tell it.
inline kmip::RngParameters ServerRng() {
  return {.algorithm = kmip::RNGAlgorithm::kDRBG,
          .cryptographic_algorithm = kmip::CryptographicAlgorithm::kAES,
          .cryptographic_length = 256};
}

}  // namespace dare::engine

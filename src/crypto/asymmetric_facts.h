#pragma once

#include "crypto/asymmetric_key.h"

// What the .cc files of asymmetric keys share: what a key of OpenSSL's is, and whether it is sound.
namespace dare::crypto {

inline constexpr std::size_t kLeastRsaBits = 512;
inline constexpr std::size_t kMostRsaBits = 8192;
inline constexpr std::size_t kMostDsaBits = 3072;
inline constexpr std::size_t kMostDhBits = 8192;

// kUnsupported for algorithms, curves and sizes that are not offered here.
Result<KeyFacts> FactsOf(evp_pkey_st* key);
// kInvalidArgument for keys that are not sound: numbers out of range, points off their curve,
// composite primes, halves that do not belong together.
Result<void> CheckPublicHalf(evp_pkey_st* key);
Result<void> CheckBothHalves(evp_pkey_st* key);
// kMalformed where only a public half came.
Result<void> CheckHasSecret(evp_pkey_st* key, KeyFamily family);

}  // namespace dare::crypto

#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/algorithm_policy.h"
#include "crypto/algorithms.h"

// Message authentication codes of whole messages: HMAC (FIPS 198-1) and CMAC with AES (SP 800-38B).
// Thread-safe.
namespace dare::crypto {

// The full-length code. kDenied where the policy refuses the hash or a short key, kInvalidArgument
// without a key.
Result<Bytes> Hmac(HashAlgorithm hash, ByteView key, ByteView data,
                   const AlgorithmPolicy& policy = {});
// 16 bytes; `key` of 16, 24 or 32 bytes.
Result<Bytes> CmacAes(ByteView key, ByteView data);
// True when `mac` is `expected` or one of its left truncations of at least `least` bytes; constant
// time in the content.
bool MacMatches(ByteView expected, ByteView mac, std::size_t least);

}  // namespace dare::crypto

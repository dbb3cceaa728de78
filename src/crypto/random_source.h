#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/algorithm_policy.h"

struct ossl_lib_ctx_st;  // OpenSSL's OSSL_LIB_CTX, opaque here

namespace dare::crypto {

enum class RandomGenerator : std::uint8_t {
  kDrbg,      // OpenSSL's: CTR_DRBG with AES-256, SP 800-90A
  kAnsiX931,  // ANSI X9.31 with AES-256, keyed, seeded and re-keyed by the former
};

// A RandomSource is where keys for others come from, symmetric ones and key pairs. Nonces and our
// own keys (sealing, TLS, tokens) come from the DRBG, whatever source is chosen. Immutable;
// thread-safe.
class RandomSource {
 public:
  // kDenied for ANSI X9.31, which NIST withdrew, unless the policy allows legacy algorithms.
  static Result<std::unique_ptr<RandomSource>> Open(RandomGenerator generator,
                                                    const AlgorithmPolicy& policy);
  ~RandomSource();
  RandomSource(const RandomSource&) = delete;
  RandomSource& operator=(const RandomSource&) = delete;

  RandomGenerator generator() const { return generator_; }
  Result<void> Fill(MutableBytes out) const;
  Result<SecretBytes> Secret(std::size_t size) const;
  // Mixes in bytes that count for no entropy.
  void Add(ByteView seed) const;

  // For EVP's key generation: draws on this source. Null is OpenSSL's default context.
  ossl_lib_ctx_st* library() const;

 private:
  struct Library;
  RandomSource(RandomGenerator generator, std::unique_ptr<Library> library);

  const RandomGenerator generator_;
  const std::unique_ptr<Library> library_;  // null for the DRBG
};

}  // namespace dare::crypto

#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/algorithm_policy.h"
#include "crypto/algorithms.h"

// Hashes of whole messages, FIPS 180-4 and 202 (and RFC 1321 for old peers). Thread-safe.
namespace dare::crypto {

std::size_t DigestBytes(HashAlgorithm hash);
// kDenied where the policy refuses the hash.
Result<Bytes> Digest(HashAlgorithm hash, ByteView data, const AlgorithmPolicy& policy = {});

// A message that comes in parts. Movable; not thread-safe; wiped when it dies, for what is hashed
// may be a secret.
class DigestStream {
 public:
  // kDenied where the policy refuses the hash.
  static Result<DigestStream> Begin(HashAlgorithm hash, const AlgorithmPolicy& policy = {});
  DigestStream(DigestStream&& other) noexcept;
  DigestStream& operator=(DigestStream&& other) noexcept;
  ~DigestStream();

  Result<void> Update(ByteView part);
  // Ends the stream.
  Result<Bytes> Finish();

 private:
  struct State;
  explicit DigestStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

using Sha256Digest = std::array<std::uint8_t, 32>;
// For our own records. CHECKs that OpenSSL computes SHA-256, which it cannot lack.
Sha256Digest Sha256(ByteView data);

}  // namespace dare::crypto

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "hsm/token_health.h"

namespace dare::hsm {

struct SealerInfo {
  std::string key_label;  // as the token shows it
  Bytes key_id;           // 8 bytes, in the head of every sealed record
  Bytes check_value;      // 3 bytes that tell two keys apart; empty when the token has none
  std::string mechanism;  // "AES-256-GCM in the token"
};

// Longest secret that can be sealed: keys and the like, not data.
inline constexpr std::size_t kMostSecretBytes = std::size_t{64} << 10;

// A Sealer turns a secret into a record that only the master key opens again, and only together
// with the same associated data. The store keeps sealed records and nothing else of a secret.
// Format: hsm/sealed_record.h. Thread-safe.
class Sealer {
 public:
  virtual ~Sealer() = default;

  // `aad` is what the record is bound to (identity, type, version …) and must not be empty;
  // `secret` has 1 to kMostSecretBytes bytes. kUnavailable or kTimeout when the HSM cannot answer.
  virtual Result<Bytes> Seal(ByteView aad, ByteView secret) = 0;

  // kDamaged "the record does not authenticate" when anything was altered or `aad` differs;
  // kNotFound when another master key sealed it; kUnavailable or kTimeout when the HSM cannot
  // answer, which says nothing about the record.
  virtual Result<SecretBytes> Open(ByteView aad, ByteView sealed) = 0;

  // The key that Seal uses now; another one after a rotation.
  virtual SealerInfo info() const = 0;
  // Seals made since start. AES-GCM with random nonces allows 2^32 under one key (SP 800-38D 8.3).
  virtual std::uint64_t seals() const = 0;
  // How it and its tokens are doing. Asks no token.
  virtual SealerHealth Health() const { return {}; }
};

}  // namespace dare::hsm

#pragma once

#include <atomic>
#include <memory>

#include "hsm/sealer.h"

namespace dare::custody {

inline constexpr std::size_t kRootKeyBytes = 32;
inline constexpr std::size_t kRootSaltBytes = 32;
// Head, salt and tag around a secret.
inline constexpr std::size_t kRootRecordOverhead = 10 + kRootSaltBytes + 16;

// The `root` way of sealing: every record under a key of its own, drawn by HKDF-SHA-256 from one
// 256-bit root key and the record's random salt. HSMs wrap the root key and nothing else, so slow
// ones will do. A key is used for one record, so random nonces put no bound on their number.
// Format: docs/formats/custody.md. Thread-safe; the root key stays in the secure heap.
class RootSealer : public hsm::Sealer {
 public:
  // `key_id` of 8 bytes, `root_key` of 32: kInvalidArgument otherwise.
  static Result<std::unique_ptr<RootSealer>> Make(Bytes key_id, SecretBytes root_key);

  Result<Bytes> Seal(ByteView aad, ByteView secret) override;
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override;
  hsm::SealerInfo info() const override { return info_; }
  std::uint64_t seals() const override { return seals_; }

  // With a salt that is given, for known answers.
  Result<Bytes> SealWithSaltForTest(ByteView salt, ByteView aad, ByteView secret) const;
  // For those who wrap it.
  const SecretBytes& root_key() const { return root_key_; }

 private:
  RootSealer(hsm::SealerInfo info, SecretBytes root_key)
      : info_(std::move(info)), root_key_(std::move(root_key)) {}
  Result<Bytes> SealUnder(ByteView salt, ByteView aad, ByteView secret) const;
  Result<SecretBytes> RecordKey(ByteView head, ByteView salt) const;

  const hsm::SealerInfo info_;
  const SecretBytes root_key_;
  std::atomic<std::uint64_t> seals_ = 0;
};

// Three bytes that tell two root keys apart and say nothing else of them.
Result<Bytes> RootCheckValue(ByteView root_key);

}  // namespace dare::custody

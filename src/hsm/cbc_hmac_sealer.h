#pragma once

#include <atomic>
#include <memory>

#include "hsm/master_key.h"
#include "hsm/sealer.h"

namespace dare::hsm {

// Seals in a token that has no AES-GCM: AES-256-CBC-PAD under the first half of the master key,
// then HMAC-SHA-256 under the second over everything (encrypt-then-MAC). The code is compared
// before the token is asked to decrypt, so that padding tells nobody anything. Two PKCS#11 calls a
// record. Thread-safe.
class CbcHmacSealer : public Sealer {
 public:
  // Seals and opens a probe; kUnsupported when the token does neither, kInvalidArgument for a key
  // of another mechanism.
  static Result<std::unique_ptr<CbcHmacSealer>> Make(std::shared_ptr<MasterKey> key);

  Result<Bytes> Seal(ByteView aad, ByteView secret) override;
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override;
  SealerInfo info() const override { return info_; }
  std::uint64_t seals() const override { return seals_; }

 private:
  explicit CbcHmacSealer(std::shared_ptr<MasterKey> key);
  Result<Bytes> Authenticate(ByteView record, ByteView aad);

  const std::shared_ptr<MasterKey> key_;
  const SealerInfo info_;
  std::atomic<std::uint64_t> seals_ = 0;
};

}  // namespace dare::hsm

#pragma once

#include <atomic>
#include <memory>

#include "hsm/sealer.h"

namespace dare::hsm {

// A Sealer without a token: the same records, sealed by OpenSSL under a random key that lives as
// long as the object. For the tests of other folders; link dare_hsm_for_test. Thread-safe.
class MemorySealerForTest : public Sealer {
 public:
  // Starts the secure heap where nobody did.
  static std::unique_ptr<MemorySealerForTest> Make();

  Result<Bytes> Seal(ByteView aad, ByteView secret) override;
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override;
  SealerInfo info() const override { return info_; }
  std::uint64_t seals() const override { return seals_; }

  // As when the token was pulled out: Seal and Open give kUnavailable until it is back.
  void SetUnavailable(bool unavailable) { unavailable_ = unavailable; }
  // Opens since start, to see what a cache saves.
  std::uint64_t opens() const { return opens_; }

 private:
  MemorySealerForTest(SecretBytes key, SealerInfo info);

  const SecretBytes key_;
  const SealerInfo info_;
  std::atomic<std::uint64_t> seals_ = 0;
  std::atomic<std::uint64_t> opens_ = 0;
  std::atomic<bool> unavailable_ = false;
};

}  // namespace dare::hsm

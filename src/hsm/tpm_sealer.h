#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "hsm/sealer.h"

namespace dare::hsm {

// Longest secret that a TPM seals: it takes 128 bytes, 32 of them for what the record is bound to.
inline constexpr std::size_t kMostTpmSecretBytes = 96;

// Seals small secrets, root keys above all, by a TPM 2.0: each becomes a sealed object under the
// TPM's storage root key, which no other TPM loads. The master key is the storage root key itself;
// its id is the first 8 bytes of the SHA-256 of its name. Nothing is kept in the TPM. A call takes
// a fraction of a second on a real one; calls stand in line. Format: docs/formats/sealed-record.md,
// mechanism 5. Thread-safe.
class TpmSealer : public Sealer {
 public:
  // `tcti` as tpm2-tss writes it ("device:/dev/tpmrm0"). Seals and opens a probe. kUnavailable when
  // the TPM cannot be reached.
  static Result<std::unique_ptr<TpmSealer>> Open(const std::string& tcti);

  // kTooLarge over kMostTpmSecretBytes.
  Result<Bytes> Seal(ByteView aad, ByteView secret) override EXCLUDES(mutex_);
  // Nothing that was made outside of this TPM opens, whoever made it.
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override EXCLUDES(mutex_);
  SealerInfo info() const override { return info_; }
  std::uint64_t seals() const override { return seals_; }

 private:
  TpmSealer(std::string tcti, SealerInfo info) : tcti_(std::move(tcti)), info_(std::move(info)) {}

  const std::string tcti_;
  const SealerInfo info_;
  Mutex mutex_;  // one conversation at a time
  std::atomic<std::uint64_t> seals_ = 0;
};

}  // namespace dare::hsm

#pragma once

#include <dare/dare.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "client/kms_client.h"
#include "envelope/dek_cache.h"
#include "envelope/encryption_context.h"
#include "envelope/keyring.h"

namespace dare::lib {

// A flag that ends calls, and the flags of the handles that were made of its handle. Thread-safe.
class CancelFlag {
 public:
  // One that is set with `parent` (which may be null), or is set already when that is.
  static std::shared_ptr<CancelFlag> Under(const std::shared_ptr<CancelFlag>& parent);
  void Set();
  const std::atomic<bool>* flag() const { return &set_; }

 private:
  std::atomic<bool> set_{false};
  Mutex mutex_;
  std::vector<std::weak_ptr<CancelFlag>> below_ GUARDED_BY(mutex_);
};

// A cache, and the client through which its thread asks.
struct KeyCache {
  KeyCache(const client::KmsClient& kms, const envelope::DekCacheLimits& limits);
  ~KeyCache() { ending = true; }

  std::atomic<bool> ending{false};
  client::KmsClient later;
  envelope::DekCache deks;  // dies first: its thread uses the others
};

}  // namespace dare::lib

// What a handle points to. Constant after construction; what is shared is thread-safe.
struct dare_client {
  std::shared_ptr<const dare::client::KmsClient> kms;
  dare::envelope::Keyring recovery;  // recovery_keys of the configuration: wrap only, thread-safe
  std::shared_ptr<dare::lib::KeyCache> cache;  // may be null
  std::optional<std::chrono::milliseconds> timeout;
  std::shared_ptr<dare::lib::CancelFlag> cancel;
};

namespace dare::lib {

// One call on a handle: its deadline runs from here on. One thread at a time.
class Call {
 public:
  explicit Call(const dare_client& client);

  // `key` null: default_key. Always asks.
  Result<envelope::Keyring> SealingKeyring(const char* key);
  // Takes from the handle's cache, where it has one.
  Result<envelope::Keyring> OpeningKeyring();
  // For one value of `bytes` bytes; from the handle's cache, where it has one.
  Result<std::shared_ptr<const envelope::WrappedDek>> SealingDek(
      const char* key, const envelope::EncryptionContext& context, std::uint64_t bytes);

  const std::atomic<bool>* cancelled() const { return client_.cancel->flag(); }
  const client::Config& config() const { return kms_.config(); }

 private:
  Result<std::string> KeyName(const char* key) const;
  // For calls that a cache may answer, so that nobody asks and nobody waits.
  Result<void> RequireNotCancelled() const;

  const dare_client& client_;
  client::KmsClient kms_;
};

}  // namespace dare::lib

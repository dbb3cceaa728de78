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
#include "libdare/cache_ear.h"

namespace dare::client {
class Listener;
}

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

// A cache, the client through which its thread asks, and who listens for the end of keys.
class KeyCache {
 public:
  KeyCache(const client::KmsClient& kms, const envelope::DekCacheLimits& limits);
  ~KeyCache();
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;

  // For a call that uses it: with `unheard` somebody listens from the first one on.
  envelope::DekCache& Use();
  envelope::DekCache& deks() { return deks_; }
  client::KmsClient& later() { return later_; }

 private:
  void Listen() EXCLUDES(mutex_);

  const bool wants_listener_;
  std::atomic<bool> ending_{false};
  client::KmsClient later_;
  envelope::DekCache deks_;  // dies before what its thread uses
  CacheEar ear_{deks_};
  std::atomic<bool> listens_{false};
  Mutex mutex_;
  std::unique_ptr<client::Listener> listener_ GUARDED_BY(mutex_);  // dies first: it uses the ear
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

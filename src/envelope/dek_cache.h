#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "envelope/wrapped_dek.h"

namespace dare::envelope {

// What a cache may do with a DEK. Zero time, uses, bytes or entries: it keeps nothing.
struct DekCacheLimits {
  // From the moment before the key server was asked. So it bounds what a revocation leaves behind.
  std::chrono::seconds time{0};
  std::uint64_t uses = 0;           // messages sealed under one DEK
  std::uint64_t bytes = 0;          // plaintext sealed under one DEK
  std::size_t entries = 0;          // DEKs kept, of both kinds
  std::chrono::seconds refresh{0};  // so long before its end a DEK in use is replaced; 0: it is not
  // Where somebody listens for keys that end (SetHearing): how long a DEK is used while he does
  // not hear, from when he last did or it was asked for. Nothing: nobody listens.
  std::optional<std::chrono::seconds> unheard;
};

// Whether the end of a key would be heard of.
enum class Hearing : std::uint8_t {
  kHears,
  kDeaf,     // not now
  kRefused,  // not now, and key servers do not want to serve us: no DEK is used
};

struct DekCacheCounts {
  std::size_t entries = 0;      // now
  std::uint64_t hits = 0;       // calls that needed no key server
  std::uint64_t misses = 0;     // calls that asked one
  std::uint64_t refreshes = 0;  // DEKs replaced in the background
  std::uint64_t recalls = 0;    // DEKs dropped because their key was said to end
  bool hears = false;           // now
};

// A DekCache keeps unwrapped DEKs in locked memory, so that many small messages need few calls of
// the key server. Kept DEKs are of two kinds: to seal under (found by key and context; limited in
// time, uses and bytes) and opened ones (found by the wrapped copy; limited in time). The longest
// unused ones make room. A message above the byte limit gets a DEK of its own, used once.
//
// The limits are kept to the letter, whatever threads do: a DEK is never handed out at or after
// `since + time`, never for more than `uses` messages, never for more than `bytes` bytes. What is
// too old leaves memory within a second or so, used or not.
//
// A DEK that is used while little is left of it (`refresh`, or an eighth of uses or bytes) is
// replaced by a thread of the cache, so that nobody waits. When the key server refuses that, the
// DEK goes at once; when it cannot be reached, the DEK stays until its time is over.
//
// With `unheard` the end of a key is heard of (Recall), and then its DEKs are gone at once. That
// holds for DEKs that were asked for since SetHearing(kHears): those from before go when it is
// said.
//
// Functions given as `later` are called by that thread, until the destructor returns. Thread-safe;
// no lock is held while a key server is asked.
class DekCache {
 public:
  using Fetch = std::function<Result<WrappedDek>()>;
  using Unwrap = std::function<Result<std::optional<Dek>>()>;

  explicit DekCache(const DekCacheLimits& limits, const Clock& clock = SystemClock::Get());
  ~DekCache();
  DekCache(const DekCache&) = delete;
  DekCache& operator=(const DekCache&) = delete;

  // A DEK for one more message of `bytes` bytes under the key `name` in the context `aad`: a kept
  // one, or what `now` makes. For that one message only.
  Result<std::shared_ptr<const WrappedDek>> ForSealing(std::string_view name, ByteView aad,
                                                       std::uint64_t bytes, const Fetch& now,
                                                       const Fetch& later);
  // The DEK in `edk`: kept, or what `now` unwraps. Whatever else `now` returns passes.
  Result<std::optional<Dek>> ForOpening(const EncryptedDataKey& edk, ByteView aad,
                                        const Unwrap& now, const Unwrap& later);

  // Forgets every DEK; none that was asked for before is handed out by a later call.
  void Flush();
  // The same for DEKs that the key `key_name` wraps: it is not to be used any more. What is being
  // asked for now, under whatever key, is not kept either.
  void Recall(std::string_view key_name);
  // The same as Recall for all keys: something was said that nobody understood.
  void RecallAll();
  // From the listener; before its first word nobody hears.
  void SetHearing(Hearing hearing);
  DekCacheCounts counts() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Name = crypto::Sha256Digest;
  struct Entry {
    std::shared_ptr<const WrappedDek> dek;
    Time since;                     // before the key server was asked
    std::vector<std::string> keys;  // names of those that wrap it, as far as they are told
    bool seals = false;
    std::uint64_t uses = 0, bytes = 0;
    bool refreshing = false;
    Time refresh_after{};             // after a failed one
    std::list<Name>::iterator place;  // in by_use_
  };
  struct Refresh {
    Name name;
    std::vector<std::string> keys;  // of the DEK that is to be replaced
    std::uint64_t flushes = 0;
    Fetch fetch;
  };

  bool keeps() const {
    return limits_.time.count() > 0 && limits_.uses > 0 && limits_.bytes > 0 && limits_.entries > 0;
  }
  // A kept one with that much left, counted as used; null otherwise.
  std::shared_ptr<const WrappedDek> Take(const Name& name, std::uint64_t bytes, const Fetch& later)
      EXCLUDES(mutex_);
  bool TooOld(const Entry& entry, Time now) const REQUIRES(mutex_);
  bool NearItsEnd(const Entry& entry, Time now) const;
  void WantRefresh(const Name& name, Entry& entry, const Fetch& later) REQUIRES(mutex_);
  std::uint64_t flushes() const EXCLUDES(mutex_);
  // Keeps it unless the cache was flushed since `flushes`, or has a better one.
  void Keep(const Name& name, Entry entry, std::uint64_t flushes, bool replace) EXCLUDES(mutex_);
  void Erase(std::map<Name, Entry>::iterator entry) REQUIRES(mutex_);
  void EraseAll() REQUIRES(mutex_);
  void DropOld() REQUIRES(mutex_);
  // What is asked for now is not kept, and those that stay are not being replaced.
  void ForgetWhatIsAsked() REQUIRES(mutex_);
  void StartThread() REQUIRES(mutex_);
  void Work() EXCLUDES(mutex_);
  std::optional<Refresh> AwaitRefresh() EXCLUDES(mutex_);
  void Do(const Refresh& refresh) EXCLUDES(mutex_);

  const DekCacheLimits limits_;
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar work_;
  std::map<Name, Entry> entries_ GUARDED_BY(mutex_);
  std::list<Name> by_use_ GUARDED_BY(mutex_);  // the latest used first
  std::deque<Refresh> wanted_ GUARDED_BY(mutex_);
  DekCacheCounts counts_ GUARDED_BY(mutex_);
  std::uint64_t flushes_ GUARDED_BY(mutex_) = 0;
  Hearing hearing_ GUARDED_BY(mutex_) = Hearing::kDeaf;
  Time last_heard_ GUARDED_BY(mutex_) = Time::min();
  bool ending_ GUARDED_BY(mutex_) = false;
  std::jthread thread_ GUARDED_BY(mutex_);
};

// Unwraps with another wrapper, and keeps in a cache what that gave. Wrapping is not cached here.
// `now` is for this call, `later` for the cache's thread.
class CachingKeyWrapper final : public KeyWrapper {
 public:
  CachingKeyWrapper(DekCache& cache, std::shared_ptr<KeyWrapper> now,
                    std::shared_ptr<KeyWrapper> later)
      : cache_(cache), now_(std::move(now)), later_(std::move(later)) {}

  Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) override {
    return now_->Wrap(dek, aad);
  }
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey& edk, ByteView aad) override;

 private:
  DekCache& cache_;
  const std::shared_ptr<KeyWrapper> now_;
  const std::shared_ptr<KeyWrapper> later_;
};

}  // namespace dare::envelope

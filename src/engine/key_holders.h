#pragma once

#include <atomic>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/entry.h"
#include "base/mutex.h"
#include "engine/outbox.h"

namespace dare::engine {

// KeyHolders knows who got or used which key, of those who keep a connection on which they are told
// of changes: when the key is revoked or destroyed they hear of it, whosever it is, so that no copy
// and no lease lives on unnoticed. In this process only, kMost pairs at most. Thread-safe; `outbox`
// outlives it.
class KeyHolders {
 public:
  explicit KeyHolders(const Outbox& outbox) : outbox_(outbox) {}

  // Looks at an entry for the audit log.
  void Note(const audit::Entry& entry) EXCLUDES(mutex_);
  // Who holds the key `id` and has a connection, but for its owner.
  std::vector<std::string> Of(const std::string& id, const std::string& owner) const
      EXCLUDES(mutex_);

  // What those hear who hold a key that was changed and is somebody else's: its new state, and no
  // more; nothing where that did not change.
  std::vector<ObjectChange> RecallsOf(const ObjectChange& change) const EXCLUDES(mutex_);
  // The keys that somebody holds.
  std::vector<std::string> Keys() const EXCLUDES(mutex_);

  static constexpr std::size_t kMost = 100'000;

 private:
  void ForgetWhoIsAway() REQUIRES(mutex_);

  const Outbox& outbox_;
  std::atomic<bool> any_ = false;
  mutable Mutex mutex_;
  std::unordered_map<std::string, std::set<std::string>> of_key_ GUARDED_BY(mutex_);
  std::size_t pairs_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::engine

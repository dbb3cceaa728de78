#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/outbox.h"

namespace dare::store {
class WholeReader;
}

namespace dare::engine {

class ObjectCache;
class Vault;
struct Sessions;

// ForeignChanges tells the clients that listen here what other nodes changed: owners as if it had
// been changed here, and those who hold a key its new state (change_ring.h is what it reads). A
// node that was cut off for so long that it missed changes tells holders which of their keys may
// not be used any more. The store is asked only while somebody listens. Thread-safe, but Look is
// for one thread.
class ForeignChanges {
 public:
  // Between two looks. Holders are told one look later: by then it is noted who used the key just
  // before.
  static constexpr std::chrono::milliseconds kInterval{250};

  // All of them outlive it. `node` is this one.
  ForeignChanges(const store::WholeReader& store, const Vault& vault, ObjectCache& cache,
                 Sessions& sessions, std::string node, const Clock& clock);

  // Called behind Outbox::Open: `principal` hears of all that is committed from now on (and of what
  // was a look before, where others listen already).
  void Begin(const std::string& principal) EXCLUDES(mutex_);
  // Reads what is new, and tells.
  void Look() EXCLUDES(mutex_);

 private:
  using Numbers = std::map<std::string, std::uint64_t>;  // of each node's next row

  bool SomebodyListens() REQUIRES(mutex_);
  Result<std::optional<Numbers>> Where() EXCLUDES(mutex_);
  Result<Numbers> NextRows() const;
  Result<void> CatchUp() EXCLUDES(mutex_);
  Result<void> FollowAll(Numbers& next);
  Result<void> Follow(const std::string& node, std::uint64_t& next);
  void Tell(std::vector<ObjectChange> changes);
  void TellHolders(const ObjectChange& change);
  Result<void> TellOfHeldKeys();

  const store::WholeReader& store_;
  const Vault& vault_;
  ObjectCache& cache_;
  Sessions& sessions_;
  const std::string node_;
  const Clock& clock_;

  std::vector<ObjectChange> for_holders_;  // at the next look; of the thread that looks
  bool failing_ = false;                   // of that thread, too
  std::atomic<bool> missed_ = false;       // changes that nobody can read any more

  Mutex mutex_;
  std::set<std::string> listeners_ GUARDED_BY(mutex_);  // and some who do not any more
  std::optional<Numbers> next_ GUARDED_BY(mutex_);      // nothing: nobody listened
};

}  // namespace dare::engine

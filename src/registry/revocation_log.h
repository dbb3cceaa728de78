#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/guarded_facts.h"
#include "engine/vault.h"
#include "registry/row_codec.h"
#include "server/revocation.h"
#include "store/object_store.h"

namespace dare::registry {

// RevocationLog is what every node knows to be revoked: the database has it as a log that only ever
// grows, under a sum; this is all of it in memory, caught up by whoever owns the log (Registry, in
// the background). So the answer to a handshake waits for nobody, is as old as the last CatchUp
// that succeeded, and is "revoked" when that was longer ago than `patience`. What was read once is
// never forgotten, and a log that does not fit what was read (entries missing, forged, or the whole
// put back) counts as one that cannot be read. Thread-safe. `store` and `vault` outlive it.
class RevocationLog : public server::Revocation {
 public:
  RevocationLog(store::ObjectStore& store, const engine::Vault& vault,
                std::chrono::milliseconds patience, const Clock& clock)
      : store_(store), vault_(vault), patience_(patience), clock_(clock) {}

  // Reads what was added since the last time. kDamaged: the log is not what the nodes wrote.
  Result<void> CatchUp() EXCLUDES(catching_up_, mutex_);

  // Adds `events` inside a transaction. kConflict where the log has grown beyond what was read:
  // catch up and begin again.
  Result<void> Write(store::Transaction& transaction,
                     const std::vector<RevocationEvent>& events) const EXCLUDES(mutex_);

  // By what was read; they say nothing of how long ago. 0: not revoked.
  std::int64_t SerialRevoked(const std::string& serial) const EXCLUDES(mutex_);
  std::int64_t NameRevoked(const std::string& name) const EXCLUDES(mutex_);
  // When the certificate was revoked, by serial or name.
  std::int64_t Revoked(const std::string& serial, const std::string& name) const EXCLUDES(mutex_);
  std::vector<RevocationEvent> All(RevocationEvent::Kind kind) const EXCLUDES(mutex_);

  bool IsRevoked(const std::string& serial, const std::string& common_name) const override
      EXCLUDES(mutex_);
  bool IsKnown() const override EXCLUDES(mutex_);
  std::uint64_t generation() const override EXCLUDES(mutex_);

 private:
  struct Entry {
    std::int64_t when = 0;
    std::uint64_t group = 0;
  };
  using Entries = std::unordered_map<std::string, Entry>;
  // An event and the group in which it came.
  using Numbered = std::pair<std::uint64_t, RevocationEvent>;

  // What stands in the log behind the key `last`, up to `group`.
  Result<std::vector<Numbered>> ReadUntil(std::uint64_t group, std::string& last,
                                          engine::TableCount& count) const;
  void Take(const Numbered& numbered) REQUIRES(mutex_);
  std::int64_t RevokedNow(const std::string& serial, const std::string& name) const
      REQUIRES(mutex_);
  bool IsStale() const REQUIRES(mutex_);

  store::ObjectStore& store_;
  const engine::Vault& vault_;
  const std::chrono::milliseconds patience_;
  const Clock& clock_;

  Mutex catching_up_;  // one at a time asks the database
  std::string last_key_ GUARDED_BY(catching_up_);
  engine::TableCount count_ GUARDED_BY(catching_up_);

  mutable Mutex mutex_;
  Entries serials_ GUARDED_BY(mutex_), names_ GUARDED_BY(mutex_), good_ GUARDED_BY(mutex_);
  std::uint64_t group_ GUARDED_BY(mutex_) = 0;  // of the last entry
  std::chrono::steady_clock::time_point known_at_ GUARDED_BY(mutex_);
  bool known_ GUARDED_BY(mutex_) = false;
};

}  // namespace dare::registry

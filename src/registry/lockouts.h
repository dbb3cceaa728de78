#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/doorkeeper.h"
#include "engine/guarded_facts.h"
#include "engine/vault.h"
#include "registry/row_codec.h"
#include "store/object_store.h"

namespace dare::registry {

struct LockoutOptions {
  // How old the list may be by which a message is judged, where other nodes change the store, too:
  // when it is older, the database is asked first. Nothing: nobody else changes the store.
  std::optional<std::chrono::milliseconds> fresh;
  // The domain of a principal, as the policy that is in force has it; empty: none is. Null: nobody
  // is in any.
  std::function<std::string(const std::string& principal)> domain_of;
};

// Lockouts are the kill switch (docs/kill-switch.md): principals, groups and domains that the
// cluster serves no longer, and the seal, under which it serves nobody. They stand in the store's
// facts, each row under the record key's check and all under a sum; the whole list is in memory
// here. A list that cannot be read, or is not what the nodes wrote, refuses everybody. Thread-safe.
// `store` outlives it.
class Lockouts : public engine::Doorkeeper {
 public:
  // Reads the list. kDamaged where it is not what the servers left.
  static Result<std::unique_ptr<Lockouts>> Open(store::ObjectStore& store,
                                                std::shared_ptr<const engine::Vault> vault,
                                                const LockoutOptions& options,
                                                const Clock& clock = SystemClock::Get());

  // After Put or Remove returned, plus this, no node serves whom it was about, and what was open is
  // cut: what a message is judged by is half a second old at most, and connections are looked at
  // twice a second.
  static constexpr std::chrono::milliseconds kBound{1000};

  // Durable when they return, and in force here. Put writes over what there is under the name.
  Result<void> Put(const Lockout& lockout);
  Result<bool> Remove(Lockout::Kind kind, const std::string& name);  // false: there was none
  // As the store has it now.
  Result<std::vector<Lockout>> List();

  std::optional<Refusal> Refuses(const policy::Principal& principal) override;

  // By what was read last; they ask nobody.
  bool IsLockedOut(const std::string& name, const std::vector<std::string>& groups) const
      EXCLUDES(mutex_);
  bool sealed() const { return sealed_.load(std::memory_order_acquire); }
  // Changes whenever the list does.
  std::uint64_t generation() const override { return generation_.load(std::memory_order_acquire); }
  Result<void> StillHolds(const store::ObjectReader& transaction, std::uint64_t judged_by) override;

  // Asks the database. For a server, from one thread, every kInterval; says in the log once that it
  // fails, and once that it works again.
  static constexpr std::chrono::milliseconds kInterval{200};
  void Look();

 private:
  Lockouts(store::ObjectStore& store, std::shared_ptr<const engine::Vault> vault,
           const LockoutOptions& options, const Clock& clock)
      : store_(store), vault_(std::move(vault)), options_(options), clock_(clock) {}

  Result<void> CatchUp() EXCLUDES(catching_up_, mutex_);
  Result<void> ReadOnce() REQUIRES(catching_up_) EXCLUDES(mutex_);
  Result<void> Commit(const std::function<Result<void>(engine::GuardedTable&)>& change);
  bool IsFresh() const;

  store::ObjectStore& store_;
  const std::shared_ptr<const engine::Vault> vault_;
  const LockoutOptions options_;
  const Clock& clock_;

  Mutex catching_up_;  // one at a time asks the database
  std::atomic<std::chrono::steady_clock::time_point> asked_at_{};  // for the list that is known
  std::atomic<std::uint64_t> generation_ = 0;                      // the table's group
  std::atomic<bool> known_ = false;  // the last answer was a list that the nodes wrote
  std::atomic<bool> empty_ = true;   // nobody is locked out, nothing sealed
  std::atomic<bool> sealed_ = false;

  mutable Mutex mutex_;
  std::vector<Lockout> all_ GUARDED_BY(mutex_);
  std::set<std::string, std::less<>> principals_ GUARDED_BY(mutex_), groups_ GUARDED_BY(mutex_),
      domains_ GUARDED_BY(mutex_);

  bool failing_ = false;  // Look's alone
};

}  // namespace dare::registry

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "policy/policy.h"
#include "store/object_store.h"

namespace dare::engine {

class Vault;

// AccessControl is the policy that is in force on this node, and how far its grants were used:
// rates in memory, so by node; numbers of uses in the store, so by all nodes, in the transaction of
// what was done. What was used is kept by the grant's name: a new version of the policy gives
// nothing back. Thread-safe. `vault` and `clock` outlive it.
class AccessControl {
 public:
  AccessControl(const Vault& vault, const Clock& clock) : vault_(vault), clock_(clock) {}

  // Null: none is in force, and owners and administrators are all there is.
  std::shared_ptr<const policy::Policy> current() const EXCLUDES(mutex_);
  // From now on, for whatever begins.
  void Enforce(std::shared_ptr<const policy::Policy> policy) EXCLUDES(mutex_);

  // Takes one of the grant's rate; false when its period has had them all. A period begins with the
  // first use after the one before it.
  bool TakeRate(const policy::Grant& grant) EXCLUDES(mutex_);
  // For what was not done at all.
  void GiveRate(const policy::Grant& grant) EXCLUDES(mutex_);
  // How many the current period has had.
  std::uint64_t Recent(const policy::Grant& grant) const EXCLUDES(mutex_);

  // How often the grant was used, by `reader`. kDamaged where that is not what the nodes wrote.
  Result<std::uint64_t> Uses(const store::ObjectReader& reader, const policy::Grant& grant) const;
  Result<void> SaveUses(store::Transaction& transaction, const policy::Grant& grant,
                        std::uint64_t uses) const;

 private:
  struct Period {
    std::chrono::steady_clock::time_point began;
    std::uint64_t taken = 0;
  };
  bool IsOver(const Period& period, const policy::Grant& grant) const;

  const Vault& vault_;
  const Clock& clock_;
  std::atomic<bool> any_ = false;  // a policy is in force: spares the lock where none is
  mutable Mutex mutex_;
  std::shared_ptr<const policy::Policy> policy_ GUARDED_BY(mutex_);
  std::map<std::string, Period> periods_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/vault.h"
#include "hsm/resident_keys.h"
#include "store/object_store.h"

namespace dare::engine {

// A ResidentCare sees to it that the HSM holds the keys that the store tells of, and no others. The
// HSM knows no transactions: a key is made before the row that refers to it is committed, and
// removed after the row that destroys it is. What was begun is noted here; Settle asks the store
// what became of it and removes the keys that no row refers to. A crash in between leaves at worst
// a key in the HSM that nobody can use, which Sweep finds at the next start.
// Thread-safe. Everything it is made from outlives it.
class ResidentCare {
 public:
  // `keys` null: no HSM keeps keys here. `may_make`: new ones are allowed.
  ResidentCare(store::ObjectStore& store, const Vault& vault, hsm::ResidentKeys* keys,
               bool may_make, const Clock& clock);

  bool may_make() const { return keys_ != nullptr && may_make_; }
  // kUnavailable where the configuration has none.
  Result<hsm::ResidentKeys*> keys() const;
  // What the labels of this store's keys name it by.
  const std::string& store_name() const { return store_name_; }

  // On the writer thread: the key was made, or will be removed, if the change is committed.
  void Made(const std::string& object_id, const hsm::ResidentReference& key) EXCLUDES(mutex_);
  void Removing(const std::string& object_id, const hsm::ResidentReference& key) EXCLUDES(mutex_);

  // On the writer thread, between groups. `certain` false: nobody knows whether the last commit
  // happened; what belongs to it is looked at later.
  void Settle(bool certain) EXCLUDES(mutex_);

  struct Found {
    std::size_t kept = 0;
    std::size_t removed = 0;                  // their objects are destroyed
    std::vector<hsm::ResidentEntry> unknown;  // no object in this store: left alone
  };
  // Looks at every key in the HSM that carries this store's name. A key whose object is destroyed
  // is removed. One that no row refers to is left: it may be of a creation that a crash cut off, or
  // this store may be an older copy.
  Result<Found> Sweep() const;
  // For the administrator, who knows better.
  Result<void> Remove(const hsm::ResidentEntry& key) const;

 private:
  enum class Fate { kReferred, kDestroyed, kMissing, kUnknown };
  struct Begun {
    std::string object_id;
    hsm::ResidentReference key;
    bool made = false;  // false: to be removed
    std::chrono::steady_clock::time_point look_at{};
  };
  static constexpr std::chrono::seconds kDoubt{60};
  static constexpr std::chrono::seconds kPatience{5};

  Fate FateOf(const std::string& object_id) const;
  // True when there is nothing more to do.
  bool SettleOne(const Begun& begun) const;

  store::ObjectStore& store_;
  const Vault& vault_;
  hsm::ResidentKeys* const keys_;
  const bool may_make_;
  const Clock& clock_;
  std::string store_name_;  // constant after construction

  Mutex mutex_;
  std::vector<Begun> begun_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine

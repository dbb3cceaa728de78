#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/rounds.h"
#include "engine/guarded_facts.h"
#include "engine/vault.h"
#include "policy/policy.h"
#include "registry/row_codec.h"
#include "store/object_store.h"

namespace dare::registry {

struct PolicyBookOptions {
  // By whom a policy is enforced on this node, whenever another one comes into force; null: none
  // is.
  std::function<void(std::shared_ptr<const policy::Policy>)> enforce;
  std::vector<std::string> administrators;  // of the service, by name: for CheckPolicy
};

// PolicyBook is the policy of all nodes on one store with its earlier versions, as a table of
// guarded facts under a sum (docs/formats/record.md). A table that is not what the servers left
// closes everything (Policy::Closed) until it is. Thread-safe. `store`, `vault` and `clock` outlive
// it.
class PolicyBook {
 public:
  PolicyBook(store::ObjectStore& store, const engine::Vault& vault, PolicyBookOptions options,
             const Clock& clock = SystemClock::Get())
      : store_(store),
        vault_(vault),
        options_(std::move(options)),
        clock_(clock),
        rows_(vault, store, kPolicyTable) {}

  // Looks whether another version is in force, and enforces it. kDamaged: everything is closed.
  Result<void> CatchUp() EXCLUDES(mutex_);
  // Does so again and again in the background, until the end.
  void Watch(std::chrono::milliseconds interval);

  // Reads and checks the text as Apply does. kInvalidArgument with the line.
  Result<policy::Policy> Check(const std::string& text) const;
  // Brings the text into force on all nodes: here before it returns, elsewhere within their
  // interval. `base`: the version that it was made from; kAlreadyExists where another one
  // is in force by now. Returns the new version's number.
  // `permit` is asked in the same transaction, about the policy that this replaces (null: none is
  // in force); its error stops everything.
  using Permit = std::function<Result<void>(store::Transaction& transaction,
                                            std::shared_ptr<const policy::Policy> in_force)>;
  Result<std::uint64_t> Apply(PolicyVersion version, std::uint64_t base, const Permit& permit = {})
      EXCLUDES(mutex_);

  // Nothing where no policy was ever applied.
  Result<std::optional<PolicyVersion>> InForce() const;
  // kNotFound.
  Result<PolicyVersion> Version(std::uint64_t number) const;
  // Those that are kept, the latest first.
  Result<std::vector<PolicyVersion>> History() const;

 private:
  Result<std::optional<PolicyVersion>> ReadAll(const engine::RunningSum& sum) const;
  Result<void> Load(const std::optional<Bytes>& sum_row) REQUIRES(mutex_);

  store::ObjectStore& store_;
  const engine::Vault& vault_;
  const PolicyBookOptions options_;
  const Clock& clock_;
  const engine::GuardedRows rows_;
  Mutex mutex_;                                  // one at a time asks the database and enforces
  std::optional<Bytes> sum_ GUARDED_BY(mutex_);  // as it was when the table was read last
  std::uint64_t group_ GUARDED_BY(mutex_) = 0;   // of it; never goes back
  bool closed_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<Rounds> watcher_;  // last: it uses all the others
};

}  // namespace dare::registry

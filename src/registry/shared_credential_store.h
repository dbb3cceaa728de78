#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/guarded_facts.h"
#include "engine/vault.h"
#include "registry/row_codec.h"
#include "server/credential_store.h"
#include "store/object_store.h"

namespace dare::registry {

// The CredentialStore of all nodes on one database. What it was given outlives it.
class SharedCredentialStore : public server::CredentialStore {
 public:
  SharedCredentialStore(store::ObjectStore& store, const engine::Vault& vault, const Clock& clock)
      : store_(store), vault_(vault), clock_(clock), rows_(vault, store, kCredentialTable) {}

  // Looks whether somebody changed the table; Generation tells. Where that cannot be found out, it
  // counts as changed.
  Result<void> CatchUp() EXCLUDES(mutex_);

  Result<void> Put(const server::StoredCredential& credential) override;
  Result<bool> Remove(const std::string& login) override;
  // kDamaged where the row does not authenticate.
  Result<std::optional<server::StoredCredential>> Find(const std::string& login) override;
  Result<std::vector<server::StoredCredential>> List() override;
  std::uint64_t Generation() override { return generation_; }
  Result<void> Import(const std::vector<server::StoredCredential>& credentials) override;

 private:
  template <typename Change>
  Result<void> Commit(Change change);

  store::ObjectStore& store_;
  const engine::Vault& vault_;
  const Clock& clock_;
  const engine::GuardedRows rows_;
  std::atomic<std::uint64_t> generation_ = 0;
  Mutex mutex_;
  std::optional<Bytes> sum_ GUARDED_BY(mutex_);  // as it was seen last
};

}  // namespace dare::registry

#include "registry/shared_credential_store.h"

#include <utility>

#include "engine/guarded_facts.h"
#include "registry/row_codec.h"
#include "store/change.h"

namespace dare::registry {
namespace {

std::string LoginName(const std::string& login) { return std::string(kLoginPrefix) + login; }

}  // namespace

template <typename Change>
Result<void> SharedCredentialStore::Commit(Change change) {
  const Result<void> changed =
      store::Change(store_, [&](store::Transaction& transaction) -> Result<void> {
        auto table = TRY(engine::GuardedTable::Open(vault_, transaction, kCredentialTable));
        TRY(change(table));
        return table.Finish();
      });
  ++generation_;
  return changed;
}

Result<void> SharedCredentialStore::CatchUp() {
  Result<Bytes> sum = store_.GetMeta(engine::TableSumKey(kCredentialTable));
  const MutexLock lock(mutex_);
  std::optional<Bytes> seen;
  if (sum) seen = std::move(*sum);
  const bool unknown = !sum && sum.error().code != Code::kNotFound;
  if (unknown || seen != sum_) ++generation_;
  sum_ = std::move(seen);
  if (unknown) return sum.error();
  return {};
}

Result<void> SharedCredentialStore::Put(const server::StoredCredential& credential) {
  TRY(server::CheckCredential(credential));
  server::StoredCredential kept = credential;
  kept.added = clock_.Now();
  return Commit([&](engine::GuardedTable& table) {
    return table.Put(LoginName(kept.login), EncodeCredential(kept));
  });
}

Result<bool> SharedCredentialStore::Remove(const std::string& login) {
  bool there = false;
  const auto change = [&](engine::GuardedTable& table) -> Result<void> {
    const auto row = table.Get(LoginName(login));
    if (!row && row.error().code != Code::kDamaged) return row.error();
    there = !row || row->has_value();
    return table.Remove(LoginName(login));
  };
  TRY(Commit(change));
  return there;
}

Result<std::optional<server::StoredCredential>> SharedCredentialStore::Find(
    const std::string& login) {
  const std::string name = LoginName(login);
  const auto content = TRY(rows_.Get(name));
  if (!content) return std::optional<server::StoredCredential>();
  return std::optional<server::StoredCredential>(TRY(DecodeCredential(name, *content)));
}

Result<std::vector<server::StoredCredential>> SharedCredentialStore::List() {
  std::vector<server::StoredCredential> list;
  const auto visit = [&](const std::string& name, Result<ByteView> content) -> Result<void> {
    const ByteView row = TRY(std::move(content));
    list.push_back(TRY(DecodeCredential(name, row)));
    return {};
  };
  TRY(rows_.ForEach(kLoginPrefix, visit));
  return list;
}

Result<void> SharedCredentialStore::Import(
    const std::vector<server::StoredCredential>& credentials) {
  return Commit([&](engine::GuardedTable& table) -> Result<void> {
    for (const server::StoredCredential& credential : credentials) {
      const std::string name = LoginName(credential.login);
      if (!TRY(table.Get(name))) TRY(table.Put(name, EncodeCredential(credential)));
    }
    return {};
  });
}

}  // namespace dare::registry

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/credential_store.h"
#include "store/sqlite_connection.h"

namespace dare::server {

// A CredentialStore in a SQLite file of its own.
class SqliteCredentialStore : public CredentialStore {
 public:
  // Makes the file (0600) where it does not exist.
  static Result<std::unique_ptr<SqliteCredentialStore>> Open(
      const std::string& path, const Clock& clock = SystemClock::Get());

  Result<void> Put(const StoredCredential& credential) override EXCLUDES(mutex_);
  Result<bool> Remove(const std::string& login) override EXCLUDES(mutex_);
  Result<std::optional<StoredCredential>> Find(const std::string& login) override EXCLUDES(mutex_);
  Result<std::vector<StoredCredential>> List() override EXCLUDES(mutex_);
  std::uint64_t Generation() override EXCLUDES(mutex_);
  Result<void> Import(const std::vector<StoredCredential>& credentials) override EXCLUDES(mutex_);

 private:
  SqliteCredentialStore(store::Connection connection, const Clock& clock)
      : clock_(clock), connection_(std::move(connection)) {}
  Result<void> Write(std::string_view verb, const StoredCredential& credential, std::int64_t added)
      REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  store::Connection connection_ GUARDED_BY(mutex_);
  std::uint64_t own_changes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::server

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "store/sqlite_connection.h"

namespace dare::server {

// A user or device that may show a password in a message. `verifier` is opaque here.
struct StoredCredential {
  std::string login;
  std::string principal;
  std::vector<std::string> groups;
  Bytes verifier;
  std::int64_t added = 0;  // POSIX seconds
};

// CredentialStore keeps them in a SQLite file of its own, as EnrolmentStore keeps certificates:
// several processes may use the file at once, and a running server sees at its next look what the
// command line wrote. Nothing in it opens anything (crypto/password_verifier.h). Thread-safe. Every
// change is durable when the call returns.
class CredentialStore {
 public:
  // Makes the file (0600) where it does not exist.
  static Result<std::unique_ptr<CredentialStore>> Open(const std::string& path,
                                                       const Clock& clock = SystemClock::Get());

  // In place of one with the same login. kInvalidArgument for names with control characters.
  Result<void> Put(const StoredCredential& credential) EXCLUDES(mutex_);
  // False when there was none.
  Result<bool> Remove(const std::string& login) EXCLUDES(mutex_);
  Result<std::optional<StoredCredential>> Find(const std::string& login) EXCLUDES(mutex_);
  Result<std::vector<StoredCredential>> List() EXCLUDES(mutex_);
  // Changes whenever something may have been written, by whatever process.
  std::uint64_t Generation() EXCLUDES(mutex_);

 private:
  CredentialStore(store::Connection connection, const Clock& clock)
      : clock_(clock), connection_(std::move(connection)) {}

  const Clock& clock_;
  Mutex mutex_;
  store::Connection connection_ GUARDED_BY(mutex_);
  std::uint64_t own_changes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::server

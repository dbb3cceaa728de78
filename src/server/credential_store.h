#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::server {

// A user or device that may show a password in a message. `verifier` is opaque here.
struct StoredCredential {
  std::string login;
  std::string principal;
  std::vector<std::string> groups;
  Bytes verifier;
  std::int64_t added = 0;  // POSIX seconds
};

// CredentialStore keeps them, as EnrolmentStore keeps certificates, with the same two back ends and
// one suite (src/registry/credential_store_conformance_test.cc): several processes may use what is
// behind it at once, and a running server sees at its next look what the command line wrote.
// Nothing in it opens anything (crypto/password_verifier.h). Thread-safe. Every change is durable
// when the call returns.
class CredentialStore {
 public:
  virtual ~CredentialStore() = default;
  // In place of one with the same login; `added` is now. kInvalidArgument for names with control
  // characters.
  virtual Result<void> Put(const StoredCredential& credential) = 0;
  // False when there was none.
  virtual Result<bool> Remove(const std::string& login) = 0;
  virtual Result<std::optional<StoredCredential>> Find(const std::string& login) = 0;
  // By login.
  virtual Result<std::vector<StoredCredential>> List() = 0;
  // Changes whenever something may have been written, by whatever process.
  virtual std::uint64_t Generation() = 0;
  // Adds what another store kept; where both have a login, this one's stays.
  virtual Result<void> Import(const std::vector<StoredCredential>& credentials) = 0;
};

// kInvalidArgument for names that are none.
Result<void> CheckCredential(const StoredCredential& credential);

}  // namespace dare::server

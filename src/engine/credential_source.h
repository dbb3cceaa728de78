#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/password_verifier.h"

namespace dare::engine {

// What is kept of one user or device that may show a credential.
struct CredentialRecord {
  std::string login;      // the Username, or kmip::DeviceCredential::Name()
  std::string principal;  // who that is in the words of policy
  std::vector<std::string> groups;
  crypto::PasswordVerifier verifier;
};

// Where the records are kept. Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // Nothing for an unknown login. Errors are the storage's.
  virtual Result<std::optional<CredentialRecord>> Find(const std::string& login) = 0;
  // Changes whenever a record may have changed.
  virtual std::uint64_t Generation() = 0;
};

}  // namespace dare::engine

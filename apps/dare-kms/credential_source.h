#pragma once

#include <optional>
#include <string>

#include "engine/credential_source.h"
#include "server/credential_store.h"

namespace dare::kms {

// Gives the engine the credentials that the command line wrote. Thread-safe; `store` outlives it.
class StoredCredentials : public engine::CredentialSource {
 public:
  explicit StoredCredentials(server::CredentialStore& store) : store_(store) {}

  Result<std::optional<engine::CredentialRecord>> Find(const std::string& login) override {
    auto stored = TRY(store_.Find(login));
    if (!stored) return std::optional<engine::CredentialRecord>();
    engine::CredentialRecord record;
    record.verifier = TRY(crypto::PasswordVerifier::Parse(stored->verifier));
    record.login = std::move(stored->login);
    record.principal = std::move(stored->principal);
    record.groups = std::move(stored->groups);
    return std::optional<engine::CredentialRecord>(std::move(record));
  }
  std::uint64_t Generation() override { return store_.Generation(); }

 private:
  server::CredentialStore& store_;
};

}  // namespace dare::kms

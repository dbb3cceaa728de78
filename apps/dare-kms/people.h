#pragma once

#include <memory>
#include <optional>

#include "engine/access_control.h"
#include "identity/token_check.h"
#include "server/config.h"
#include "server/peer.h"

namespace dare::kms {

// The people whom an issuer of OpenID Connect vouches for: its keys, and the check of its tokens.
// Thread-safe.
class People {
 public:
  // Null where the configuration names no issuer. `clock` outlives it.
  static std::unique_ptr<People> Of(const server::OidcConfig& config, const Clock& clock);
  identity::TokenCheck& tokens() { return tokens_; }

 private:
  People(const server::OidcConfig& config, const Clock& clock);

  identity::KeySource keys_;
  identity::TokenCheck tokens_;
};

// What the policy in force makes the peer in the default domain, where the service itself belongs:
// auditor or operator, or nothing that counts for it.
std::optional<policy::Role> ServiceRoleOf(const engine::AccessControl& access,
                                          const server::Peer& peer);

}  // namespace dare::kms

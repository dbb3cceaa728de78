#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "custody/master_keys.h"
#include "custody/root_sealer.h"

namespace dare::custody {

// Why one token was of no use.
struct TokenFailure {
  std::string token;
  Error error;
};

// Opens the keys of a custody record with the tokens at hand: a master key in every token that
// holds it (those that are away may come back later), a root key by the first token that unwraps
// it. No token is waited for longer than `patience`; a call that takes longer is left to itself.
// Thread-safe.
class KeyOpener {
 public:
  KeyOpener(std::shared_ptr<MasterKeys> tokens, std::chrono::milliseconds patience)
      : tokens_(std::move(tokens)), patience_(patience) {}

  // kUnavailable, naming every token and its reason, when none of them opens it; `failures` gets
  // those that were of no use, also when another one was.
  Result<std::shared_ptr<hsm::Sealer>> Open(const CustodyKey& key,
                                            std::vector<TokenFailure>& failures) const;
  // MasterKeys::Open within the patience: kTimeout.
  Result<std::shared_ptr<hsm::Sealer>> OpenMaster(const std::string& token, const Bytes& id,
                                                  KeyOrigin origin = KeyOrigin::kToken) const;
  // Wraps a root key for a token, under its master key `id` or the only one it has.
  Result<KeyHolder> Wrap(const std::string& token, const Bytes& id, const RootSealer& root) const;
  // The root key, out of one holder's hands.
  Result<SecretBytes> Unwrap(const Bytes& root_id, const KeyHolder& holder) const;

  MasterKeys& tokens() const { return *tokens_; }
  std::chrono::milliseconds patience() const { return patience_; }

 private:
  Result<std::shared_ptr<hsm::Sealer>> OpenMasters(const CustodyKey& key,
                                                   std::vector<TokenFailure>& failures) const;
  Result<std::shared_ptr<hsm::Sealer>> OpenRoot(const CustodyKey& key,
                                                std::vector<TokenFailure>& failures) const;
  // Holders in the order of the configuration.
  std::vector<KeyHolder> InOrder(const CustodyKey& key) const;

  const std::shared_ptr<MasterKeys> tokens_;
  const std::chrono::milliseconds patience_;
};

}  // namespace dare::custody

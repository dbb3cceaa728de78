#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "configured_tokens.h"
#include "custody/custody.h"
#include "engine/vault.h"
#include "open_store.h"
#include "server/config.h"
#include "store/object_store.h"

namespace dare::kms {

// A KeyStation is the store with its keys open: what the server stands on, and what a ceremony on
// the machine works with beside a running server.
struct KeyStation {
  std::shared_ptr<ConfiguredTokens> tokens;
  std::unique_ptr<store::ObjectStore> store;
  std::unique_ptr<custody::Custody> custody;
  std::shared_ptr<engine::Vault> vault;  // opens records, and checks what custody keeps
};

// Opens store, tokens and keys. `at_hand`: keys that no HSM needs to open (out of a backup).
Result<KeyStation> OpenKeyStation(const server::Config& config, StoreUse use,
                                  std::vector<std::shared_ptr<hsm::Sealer>> at_hand = {});
// The same over tokens and a store of the caller's. `first`: what a new store begins with.
Result<void> OpenKeys(const server::Config& config, KeyStation& station,
                      std::vector<std::shared_ptr<hsm::Sealer>> at_hand = {},
                      std::optional<custody::CustodyKey> first = std::nullopt);

}  // namespace dare::kms

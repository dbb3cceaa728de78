#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/vault.h"
#include "hsm/sealer.h"
#include "server/config.h"
#include "store/object_store.h"

namespace dare::kms {

enum class WholeUse {
  kRead,     // beside a server, changing nothing
  kOwn,      // refused while a server has it (SQLite)
  kAddFact,  // beside a server, one fact
};

// A store and what opens its records, for the verbs that work on the whole of it.
struct WholeStore {
  std::unique_ptr<hsm::Sealer> sealer;
  std::unique_ptr<store::ObjectStore> store;
  std::unique_ptr<engine::Vault> vault;
};

Result<std::unique_ptr<hsm::Sealer>> OpenSealer(const server::Config& config);
Result<std::unique_ptr<store::ObjectStore>> OpenStoreAs(const server::Config& config, WholeUse use);
// All three; kInvalidArgument where the store is empty, which is not for opening but for filling.
Result<WholeStore> OpenWhole(const server::Config& config, WholeUse use);

}  // namespace dare::kms

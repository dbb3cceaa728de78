#pragma once

#include <memory>

#include "base/result.h"
#include "server/config.h"
#include "store/object_store.h"
#include "store/postgres_store.h"

namespace dare::kms {

// Whether other servers may change the store of this configuration, too.
bool IsShared(const server::Config& config);

// What the configuration says of a database server; `store.backend` is "postgresql".
store::PostgresOptions PostgresOptionsOf(const server::Config& config);

enum class StoreUse {
  kServe,  // alone: refused (kUnavailable) while a server has the file open
  kJoin,   // beside a server, to change custody or a fact
  kRead,   // beside a server, changing nothing
};

// The store that the configuration names. A database server is for several: there only kRead makes
// a difference, to whoever reads the code.
Result<std::unique_ptr<store::ObjectStore>> OpenStore(const server::Config& config, StoreUse use);

}  // namespace dare::kms

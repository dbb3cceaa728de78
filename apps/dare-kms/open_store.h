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

// The store that the configuration names. `sole_owner`: refuses (kUnavailable) a file that a server
// has open; a database server is for several.
Result<std::unique_ptr<store::ObjectStore>> OpenStore(const server::Config& config,
                                                      bool sole_owner);

}  // namespace dare::kms

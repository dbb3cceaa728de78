#include "open_store.h"

#include <chrono>

#include "store/memory_store.h"
#include "store/sqlite_store.h"

namespace dare::kms {

bool IsShared(const server::Config& config) { return config.store.backend == "postgresql"; }

store::PostgresOptions PostgresOptionsOf(const server::Config& config) {
  store::PostgresOptions options;
  options.connection = config.store.connection;
  if (!config.store.password.empty()) {
    options.password = [store = config.store] { return server::LoadPassword(store); };
  }
  options.readers = config.store.connections;
  options.patience = std::chrono::seconds(config.store.patience_seconds);
  return options;
}

Result<std::unique_ptr<store::ObjectStore>> OpenStore(const server::Config& config, StoreUse use) {
  if (config.store.backend == "memory") return store::MakeMemoryStore();
  if (config.store.backend == "postgresql") {
    return store::OpenPostgresStore(PostgresOptionsOf(config));
  }
  store::SqliteOptions options;
  options.path = config.store.path;
  options.sole_owner = use == StoreUse::kServe;
  options.read_only = use == StoreUse::kRead;
  return store::OpenSqliteStore(options);
}

}  // namespace dare::kms

#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/vault.h"
#include "hsm/memory_sealer_for_test.h"
#include "registry/registry.h"
#include "store/memory_store.h"
#include "store/postgres_server_for_test.h"
#include "store/postgres_store.h"

namespace dare::registry {

// A database that several nodes share, each with a Registry of its own. Another kind of store adds
// a line to Of.
class SharedDatabaseForTest : public std::enable_shared_from_this<SharedDatabaseForTest> {
 public:
  // Null for a back end that is not this.
  static std::shared_ptr<SharedDatabaseForTest> Of(std::string_view name) {
    if (name != "SharedMemory" && name != "SharedPostgres") return nullptr;
    auto made = std::make_shared<SharedDatabaseForTest>();
    if (name == "SharedPostgres") {
      store::PostgresServerForTest* server = store::PostgresServerForTest::Shared();
      if (server == nullptr) {
        made->why_not_ = store::PostgresServerForTest::WhyNot();
      } else {
        made->connection_ = server->NewSchema();
      }
    }
    made->memory_ = store::MakeMemoryStore();
    return made;
  }
  bool ready() const { return why_not_.empty(); }
  const std::string& why_not() const { return why_not_; }

  // A node: its own connections, its own vault with the same record key, its own registry.
  struct Node {
    std::shared_ptr<SharedDatabaseForTest> database;
    std::unique_ptr<store::ObjectStore> own_store;  // null: the one in memory
    std::shared_ptr<const engine::Vault> vault;
    std::unique_ptr<Registry> registry;

    store::ObjectStore& store() { return own_store ? *own_store : *database->memory_; }
  };
  Result<std::shared_ptr<Node>> Open(const Clock& clock, bool watching = true) {
    auto node = std::make_shared<Node>();
    node->database = shared_from_this();
    if (!connection_.empty()) {
      node->own_store = TRY(store::OpenPostgresStore({.connection = connection_}));
    }
    node->vault = TRY(engine::Vault::Open(node->store(), *sealer_));
    node->registry = TRY(Registry::Open(node->store(), node->vault,
                                        {.interval = std::chrono::milliseconds(10)}, clock));
    if (watching) node->registry->Watch();
    return node;
  }
  std::shared_ptr<server::EnrolmentStore> OpenEnrolment(const Clock& clock) {
    const auto node = *Open(clock);
    return {node, &node->registry->enrolment()};
  }
  std::shared_ptr<server::CredentialStore> OpenCredentials(const Clock& clock) {
    const auto node = *Open(clock);
    return {node, &node->registry->credentials()};
  }

 private:
  std::string why_not_, connection_;
  std::unique_ptr<store::ObjectStore> memory_;
  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
};

}  // namespace dare::registry

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>

#include "store/memory_store.h"
#include "store/object_store.h"
#include "store/postgres_server_for_test.h"
#include "store/postgres_store.h"
#include "store/sqlite_store.h"

// The back ends, and what the conformance suites share. A new back end adds one line to kBackEnds.
namespace dare::store {

inline constexpr std::uint32_t kName = 0x420053;
inline constexpr std::uint32_t kGroup = 0x420056;
inline constexpr std::uint32_t kSymmetricKey = 2;
inline constexpr std::uint32_t kPreActive = 1;
inline constexpr std::uint32_t kActive = 2;

struct BackEnd {
  const char* name;
  bool durable;  // a second Open of the same folder finds what the first kept
  std::function<Result<std::unique_ptr<ObjectStore>>(const std::string& folder)> open;
};

// A schema for each folder, in a server for the whole program. kNotFound where there is none.
inline Result<std::unique_ptr<ObjectStore>> OpenPostgresForTest(const std::string& folder) {
  PostgresServerForTest* server = PostgresServerForTest::Shared();
  if (server == nullptr) return Error(Code::kNotFound, PostgresServerForTest::WhyNot());
  std::string schema = "c_" + folder.substr(folder.rfind('-') + 1);
  std::ranges::transform(schema, schema.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return OpenPostgresStore({.connection = server->Schema(schema)});
}

inline const BackEnd kBackEnds[] = {
    {"Memory", false,
     [](const std::string&) -> Result<std::unique_ptr<ObjectStore>> { return MakeMemoryStore(); }},
    {"Sqlite", true,
     [](const std::string& folder) { return OpenSqliteStore({.path = folder + "/kms.db"}); }},
    {"Postgres", true, OpenPostgresForTest},
};

inline ObjectRecord Record(const std::string& id, const std::string& owner = "alice") {
  return {.id = id,
          .object_type = kSymmetricKey,
          .state = kPreActive,
          .owner = owner,
          .created = 1'700'000'000,
          .attributes = ToBytes(AsBytes("attributes of " + id)),
          .material = ToBytes(AsBytes("sealed " + id))};
}

inline ObjectRecord Named(const std::string& id, const std::string& name,
                          const std::string& owner = "alice") {
  ObjectRecord record = Record(id, owner);
  record.index = {{.tag = kName, .key = name, .scope = owner, .unique = true}};
  return record;
}

inline ObjectRecord Grouped(const std::string& id, const std::string& group,
                            const std::string& owner = "alice") {
  ObjectRecord record = Record(id, owner);
  record.index = {{.tag = kGroup, .key = group, .scope = owner}};
  return record;
}

inline Query ByName(const std::string& name, const std::string& owner = "alice") {
  return {.entries = {{.tag = kName, .key = name, .scope = owner}}};
}

inline Query ByGroup(const std::string& group, std::optional<std::string> scope = "alice") {
  return {.entries = {{.tag = kGroup, .key = group, .scope = std::move(scope)}}};
}

class ObjectStoreConformance : public testing::TestWithParam<BackEnd> {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "store-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    Open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    store_.reset();
    auto store = GetParam().open(folder_);
    if (!store && store.error().code == Code::kNotFound) GTEST_SKIP() << store.error().message;
    ASSERT_TRUE(store.has_value()) << store.error().message;
    store_ = std::move(*store);
  }
  std::unique_ptr<Transaction> Begin() {
    auto transaction = store_->Begin();
    EXPECT_TRUE(transaction.has_value());
    return std::move(*transaction);
  }
  void Keep(const std::vector<ObjectRecord>& records) {
    auto transaction = Begin();
    for (const ObjectRecord& record : records) {
      const auto inserted = transaction->Insert(record);
      ASSERT_TRUE(inserted.has_value()) << inserted.error().message;
    }
    ASSERT_TRUE(transaction->Commit().has_value());
  }
  std::vector<ObjectId> Ids(const Query& query) {
    auto page = store_->Find(query);
    EXPECT_TRUE(page.has_value());
    return page ? page->items : std::vector<ObjectId>();
  }

  std::string folder_;
  std::unique_ptr<ObjectStore> store_;
};

}  // namespace dare::store

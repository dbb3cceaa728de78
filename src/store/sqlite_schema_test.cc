#include "store/sqlite_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file.h"

namespace dare::store {
namespace {

using testing::HasSubstr;

class SqliteSchemaTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "schema-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder + "/kms.db";
    std::ofstream(path_).close();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Connection Open() { return std::move(*Connection::Open(path_, {.may_write = true})); }
  std::int64_t Integer(const char* sql) {
    Connection connection = Open();
    return connection.QueryInteger(sql).value_or(-1);
  }

  std::string folder_, path_;
};

// The steps a later program would bring.
std::vector<Migration> Later() {
  const auto known = SqliteMigrations();
  std::vector<Migration> migrations(known.begin(), known.end());
  migrations.push_back({migrations.back().version + 1,
                        "ALTER TABLE objects ADD COLUMN domain TEXT NOT NULL DEFAULT 'root'"});
  migrations.push_back({migrations.back().version + 1, "CREATE TABLE later (x INTEGER) STRICT"});
  return migrations;
}

void InsertOne(Connection& connection) {
  ASSERT_TRUE(connection
                  .Execute("INSERT INTO objects VALUES (1, 'id', 1, 2, 1, 'alice', 5, x'', x'01', "
                           "x'02')")
                  .has_value());
}

TEST_F(SqliteSchemaTest, MakesTheApprovedSchema) {
  Connection connection = Open();
  ASSERT_TRUE(UpgradeSchema(connection).has_value());
  Statement row =
      *connection.Prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid");
  std::string schema = "-- schema 1; a difference here needs a new migration, not an edit\n";
  while (*row.Step()) schema += row.Text(0) + ";\n";
  std::ifstream file(std::string(DARE_SOURCE_DIR) + "/src/store/testdata/schema_v1.sql");
  std::ostringstream approved;
  approved << file.rdbuf();
  EXPECT_EQ(schema, approved.str());
}

TEST_F(SqliteSchemaTest, MarksTheFileAsOurs) {
  {
    Connection connection = Open();
    ASSERT_TRUE(UpgradeSchema(connection).has_value());
    ASSERT_TRUE(UpgradeSchema(connection).has_value()) << "a second time changes nothing";
  }
  EXPECT_EQ(Integer("PRAGMA application_id"), kSqliteApplicationId);
  EXPECT_EQ(Integer("PRAGMA user_version"), SqliteMigrations().back().version);
}

TEST_F(SqliteSchemaTest, AnOlderSchemaIsUpgradedWithItsRecords) {
  {
    Connection connection = Open();
    ASSERT_TRUE(UpgradeSchema(connection).has_value());
    InsertOne(connection);
  }
  {
    Connection connection = Open();
    ASSERT_TRUE(UpgradeSchema(connection, Later()).has_value());
  }
  EXPECT_EQ(Integer("PRAGMA user_version"), Later().back().version);
  EXPECT_EQ(Integer("SELECT count(*) FROM objects WHERE id = 'id' AND domain = 'root'"), 1);
  EXPECT_EQ(Integer("SELECT count(*) FROM later"), 0);
}

TEST_F(SqliteSchemaTest, ANewerSchemaIsRefusedAndLeftAlone) {
  {
    Connection connection = Open();
    ASSERT_TRUE(UpgradeSchema(connection, Later()).has_value());
  }
  Connection connection = Open();
  const auto refused = UpgradeSchema(connection);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("newer program"));
  EXPECT_EQ(*connection.QueryInteger("PRAGMA user_version"), Later().back().version);
}

TEST_F(SqliteSchemaTest, AStepThatFailsLeavesTheOldSchema) {
  Connection connection = Open();
  ASSERT_TRUE(UpgradeSchema(connection).has_value());
  InsertOne(connection);
  std::vector<Migration> migrations = Later();
  migrations.back().sql = "CREATE TABLE objects (x INTEGER)";  // exists
  ASSERT_FALSE(UpgradeSchema(connection, migrations).has_value());
  EXPECT_EQ(*connection.QueryInteger("PRAGMA user_version"), SqliteMigrations().back().version);
  EXPECT_FALSE(connection.QueryInteger("SELECT domain FROM objects").has_value());
  EXPECT_FALSE(connection.InTransaction());
}

TEST_F(SqliteSchemaTest, AnotherApplicationsFileIsRefusedUntouched) {
  for (const char* foreign : {"CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)",
                              "PRAGMA application_id = 7", "PRAGMA user_version = 1"}) {
    std::filesystem::remove(path_);
    std::ofstream(path_).close();
    {
      Connection connection = Open();
      ASSERT_TRUE(connection.Execute(foreign).has_value());
    }
    const Bytes before = *ReadFile(path_);
    {
      Connection connection = Open();
      EXPECT_EQ(UpgradeSchema(connection).error().code, Code::kInvalidArgument) << foreign;
    }
    EXPECT_EQ(*ReadFile(path_), before) << foreign;
  }
}

}  // namespace
}  // namespace dare::store

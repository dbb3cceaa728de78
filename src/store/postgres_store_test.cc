// What only the PostgreSQL back end must answer for: several stores on one database, a server that
// goes away, commits whose answer is lost.
#include "store/postgres_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "store/postgres_connection.h"
#include "store/postgres_schema.h"
#include "store/postgres_server_for_test.h"
#include "store/read_ahead.h"

namespace dare::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::uint32_t kName = 0x420053;

ObjectRecord Named(const std::string& id, const std::string& name) {
  return {.id = id,
          .object_type = 2,
          .state = 1,
          .owner = "alice",
          .created = 1'700'000'000,
          .attributes = ToBytes(AsBytes("attributes of " + id)),
          .material = ToBytes(AsBytes("sealed " + id)),
          .index = {{.tag = kName, .key = name, .scope = "alice", .unique = true}}};
}

class PostgresStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ = PostgresServerForTest::Shared();
    if (server_ == nullptr) GTEST_SKIP() << PostgresServerForTest::WhyNot();
    connection_ = server_->NewSchema();
  }
  std::unique_ptr<ObjectStore> Open() {
    auto store = OpenPostgresStore({.connection = connection_, .patience = kPatience});
    EXPECT_TRUE(store.has_value()) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  std::unique_ptr<postgres::Connection> Connect() {
    return std::move(*postgres::Connection::Open(*postgres::Settings::Parse(connection_, nullptr)));
  }
  static Result<void> Keep(ObjectStore& store, const ObjectRecord& record) {
    auto transaction = TRY(store.Begin());
    TRY(transaction->Insert(record));
    return transaction->Commit();
  }

  static constexpr std::chrono::milliseconds kPatience{4000};
  PostgresServerForTest* server_ = nullptr;
  std::string connection_;
};

TEST_F(PostgresStoreTest, WhatOneStoreCommitsTheOtherSees) {
  auto one = Open(), two = Open();
  ASSERT_TRUE(Keep(*one, Named("a", "n")).has_value());
  EXPECT_EQ(two->Get("a")->row_version, 1u);
  EXPECT_EQ(Keep(*two, Named("b", "n")).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(Keep(*two, Named("b", "m")).has_value());
  EXPECT_THAT(one->Find({})->items, ElementsAre("b", "a"));
}

TEST_F(PostgresStoreTest, OfTwoUpdatesOfOneVersionOneIsAConflict) {
  auto one = Open(), two = Open();
  ASSERT_TRUE(Keep(*one, Named("a", "n")).has_value());
  auto first = *one->Begin();
  auto second = *two->Begin();
  ObjectRecord record = *first->Get("a");
  ASSERT_EQ(second->Get("a")->row_version, 1u);
  record.index.front().key = "renamed";
  ASSERT_TRUE(first->Update(record, 1).has_value());
  ASSERT_TRUE(first->Commit().has_value());
  EXPECT_EQ(second->Update(Named("a", "n"), 1).error().code, Code::kConflict);
  EXPECT_EQ(second->Get("a")->row_version, 2u) << "it goes on with what is true now";
  EXPECT_TRUE(second->Update(Named("a", "again"), 2).has_value());
  EXPECT_TRUE(second->Commit().has_value());
  EXPECT_EQ(one->Get("a")->row_version, 3u);
}

TEST_F(PostgresStoreTest, AFactThatAnotherNodeChangedIsNotWrittenOver) {
  auto one = Open(), two = Open();
  for (const char* before : {"none", "some"}) {
    auto first = *one->Begin();
    auto second = *two->Begin();
    (void)first->GetMeta("record-key");
    (void)second->GetMeta("record-key");
    ASSERT_TRUE(first->PutMeta("record-key", AsBytes(std::string("1") + before)).has_value());
    ASSERT_TRUE(first->Commit().has_value());
    (void)second->PutMeta("record-key", AsBytes("2"));
    EXPECT_EQ(second->Commit().error().code, Code::kConflict) << before;
    EXPECT_EQ(AsText(*one->GetMeta("record-key")), std::string("1") + before);
  }
}

TEST_F(PostgresStoreTest, FactsThatAreLookedAheadForAreReadWithTheFirstOfThem) {
  auto one = Open(), two = Open();
  const auto put = [](ObjectStore& store, const char* key, const char* value) {
    auto transaction = *store.Begin();
    ASSERT_TRUE(transaction->PutMeta(key, AsBytes(value)).has_value());
    ASSERT_TRUE(transaction->Commit().has_value());
  };
  put(*one, "a", "1");
  put(*one, "b", "1");
  auto transaction = *one->Begin();
  dynamic_cast<ReadsAhead&>(*transaction).LookAhead({"b", "missing", "b"});
  EXPECT_EQ(AsText(*transaction->GetMeta("a")), "1");
  put(*two, "b", "2");
  put(*two, "missing", "2");
  EXPECT_EQ(AsText(*transaction->GetMeta("b")), "1") << "as it was when the first was asked for";
  EXPECT_EQ(transaction->GetMeta("missing").error().code, Code::kNotFound);
  ASSERT_TRUE(transaction->PutMeta("a", AsBytes("3")).has_value());
  EXPECT_EQ(AsText(*transaction->GetMeta("a")), "3") << "what it puts itself it sees";
  (void)transaction->PutMeta("missing", AsBytes("3"));
  EXPECT_EQ(transaction->Commit().error().code, Code::kConflict);
  EXPECT_EQ(AsText(*one->GetMeta("a")), "1");
}

TEST_F(PostgresStoreTest, AFactIsAgainWhatItWasOnceAChangeIsTakenBack) {
  auto store = Open();
  auto transaction = *store->Begin();
  EXPECT_EQ(transaction->GetMeta("a").error().code, Code::kNotFound);
  ASSERT_TRUE(transaction->Savepoint().has_value());
  ASSERT_TRUE(transaction->PutMeta("a", AsBytes("1")).has_value());
  EXPECT_EQ(AsText(*transaction->GetMeta("a")), "1");
  ASSERT_TRUE(transaction->RollbackTo().has_value());
  EXPECT_EQ(transaction->GetMeta("a").error().code, Code::kNotFound);
}

TEST_F(PostgresStoreTest, WhatWasDeferredIsDoneOrNoneOfIt) {
  auto store = Open();
  auto transaction = *store->Begin();
  transaction->MayDefer();
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(transaction->Savepoint().has_value());
    ASSERT_TRUE(transaction->Insert(Named(id, id)).has_value());
    ASSERT_TRUE(transaction->Release().has_value());
  }
  EXPECT_EQ(transaction->Get("b")->row_version, 1u);
  ASSERT_TRUE(transaction->Update(Named("b", "renamed"), 1).has_value());
  ASSERT_TRUE(transaction->Settle().has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  transaction = *store->Begin();
  transaction->MayDefer();
  EXPECT_TRUE(transaction->Insert(Named("d", "d")).has_value());
  EXPECT_TRUE(transaction->Insert(Named("e", "renamed")).has_value()) << "not looked at yet";
  EXPECT_EQ(transaction->Settle().error().code, Code::kConflict);
  EXPECT_EQ(transaction->Commit().error().code, Code::kConflict);
  transaction.reset();
  EXPECT_THAT(store->Find({})->items, ElementsAre("c", "b", "a"));
  transaction = *store->Begin();
  transaction->MayDefer();
  ASSERT_TRUE(transaction->Savepoint().has_value());
  ASSERT_TRUE(transaction->Insert(Named("f", "f")).has_value());
  EXPECT_EQ(transaction->RollbackTo().error().code, Code::kConflict) << "was never marked";
}

TEST_F(PostgresStoreTest, LongKeysAreFoundAndHeldAsWholes) {
  auto store = Open();
  std::string noise;
  for (int i = 0; noise.size() < kMaxIndexKey; ++i) noise += std::to_string(i * 2654435761u);
  noise.resize(kMaxIndexKey);
  ObjectRecord record = Named("a", noise);
  record.index.front().scope = std::string(noise.rbegin(), noise.rend());
  const auto kept = Keep(*store, record);
  ASSERT_TRUE(kept.has_value()) << kept.error().message;
  Query query{.entries = {{kName, noise, record.index.front().scope}}};
  EXPECT_THAT(store->Find(query)->items, ElementsAre("a"));
  EXPECT_EQ(store->Get("a")->index, record.index);
  query.entries.front().key.back() ^= 1;
  EXPECT_TRUE(store->Find(query)->items.empty());
  record.id = "b";
  EXPECT_EQ(Keep(*store, record).error().code, Code::kAlreadyExists);
}

TEST_F(PostgresStoreTest, StoresThatOpenAnEmptyDatabaseTogetherMakeItOnce) {
  std::vector<std::thread> starts;
  std::atomic<int> opened = 0;
  for (int i = 0; i < 6; ++i) {
    starts.emplace_back([this, &opened, i] {
      const auto store = OpenPostgresStore({.connection = connection_});
      ASSERT_TRUE(store.has_value()) << store.error().message;
      const std::string number = std::to_string(i);
      const auto kept = Keep(**store, Named("id" + number, "n" + number));
      ASSERT_TRUE(kept.has_value()) << kept.error().message;
      ++opened;
    });
  }
  for (std::thread& start : starts) start.join();
  EXPECT_EQ(opened, 6);
}

TEST_F(PostgresStoreTest, ANewerSchemaIsRefusedAndAnOlderOneIsBroughtUp) {
  Open().reset();
  auto connection = Connect();
  ASSERT_TRUE(connection->Ask("UPDATE dare_schema SET version = 99").has_value());
  const auto newer = OpenPostgresStore({.connection = connection_});
  ASSERT_FALSE(newer.has_value());
  EXPECT_EQ(newer.error().code, Code::kUnsupported);
  EXPECT_THAT(newer.error().message, HasSubstr("use the newer program"));
  // A step that broke off before it was noted.
  ASSERT_TRUE(connection->Ask("UPDATE dare_schema SET version = 0").has_value());
  ASSERT_TRUE(connection->Ask("DROP TABLE commits").has_value());
  EXPECT_TRUE(Keep(*Open(), Named("a", "n")).has_value());
}

TEST_F(PostgresStoreTest, TablesOfAnotherApplicationAreLeftAlone) {
  auto connection = Connect();
  ASSERT_TRUE(connection->Ask("CREATE TABLE objects (theirs TEXT)").has_value());
  const auto refused = OpenPostgresStore({.connection = connection_});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("another application"));
}

// Ends every connection of the schema's stores, from the server's side.
TEST_F(PostgresStoreTest, ALostConnectionIsMadeAgain) {
  auto store = Open();
  ASSERT_TRUE(Keep(*store, Named("a", "a")).has_value());
  const char* hang_up =
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
      "WHERE application_name = 'dare-kms'";
  ASSERT_TRUE(server_->Execute(hang_up).has_value());
  EXPECT_EQ(store->Get("a")->row_version, 1u);
  ASSERT_TRUE(Keep(*store, Named("b", "b")).has_value());
  auto transaction = *store->Begin();
  ASSERT_TRUE(transaction->Insert(Named("c", "c")).has_value());
  ASSERT_TRUE(server_->Execute(hang_up).has_value());
  EXPECT_EQ(transaction->Insert(Named("d", "d")).error().code, Code::kConflict);
  EXPECT_EQ(transaction->Commit().error().code, Code::kConflict) << "begin again";
  transaction.reset();
  EXPECT_THAT(store->Find({})->items, ElementsAre("b", "a"));
  EXPECT_TRUE(Keep(*store, Named("c", "c")).has_value());
}

TEST_F(PostgresStoreTest, EachCommitIsMarkedAndOldMarksAreRemoved) {
  auto store = Open();
  auto connection = Connect();
  const auto marks = [&] { return connection->Ask("SELECT count(*) FROM commits")->Integer(0, 0); };
  ASSERT_TRUE(Keep(*store, Named("a", "a")).has_value());
  EXPECT_EQ(marks(), 1);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(Keep(*store, Named("k" + std::to_string(i), "k" + std::to_string(i))).has_value());
  }
  EXPECT_LE(marks(), 64);
  ASSERT_TRUE(connection->Ask("UPDATE commits SET at = at - 100000").has_value());
  Open().reset();
  EXPECT_EQ(marks(), 0) << "a store that starts removes those that are a day old";
}

// The server aborts the transaction at its COMMIT and hangs up.
TEST_F(PostgresStoreTest, ACommitWithoutAnAnswerThatDidNotHappenBeginsAgain) {
  auto store = Open();
  const std::string schema = connection_.substr(connection_.rfind('=') + 1);
  const std::string name = schema.substr(0, schema.size() - 1);
  ASSERT_TRUE(server_->Execute(
      "CREATE FUNCTION " + name +
      ".hang_up() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END$$"));
  ASSERT_TRUE(server_->Execute("CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON " + name +
                               ".objects DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
                               "EXECUTE FUNCTION " +
                               name + ".hang_up()"));
  const auto lost = Keep(*store, Named("a", "a"));
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, Code::kConflict) << lost.error().message;
  ASSERT_TRUE(server_->Execute("DROP TRIGGER hang_up ON " + name + ".objects"));
  EXPECT_EQ(store->Get("a").error().code, Code::kNotFound);
  EXPECT_TRUE(Keep(*store, Named("a", "a")).has_value());
}

// The server commits, waits for a standby that never comes, and hangs up without an answer.
TEST_F(PostgresStoreTest, ACommitWithoutAnAnswerThatHappenedIsASuccess) {
  auto store = Open();
  ASSERT_TRUE(server_->Execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'"));
  ASSERT_TRUE(server_->Execute("SELECT pg_reload_conf()"));
  // Commits wait from the moment when the checkpointer has read the setting, which nobody can ask
  // for: so one after the other, until one waits.
  Result<void> committed;
  std::string ended, name;
  for (int turn = 0; ended.empty() && turn < 1000; ++turn) {
    name = "a" + std::to_string(turn);
    std::atomic<bool> done = false;
    std::thread writer([&] {
      committed = Keep(*store, Named(name, name));
      done = true;
    });
    while (ended.empty() && !done) {
      ended = *server_->Execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    }
    if (!ended.empty()) {
      EXPECT_TRUE(server_->Execute("ALTER SYSTEM RESET synchronous_standby_names"));
      EXPECT_TRUE(server_->Execute("SELECT pg_reload_conf()"));
    }
    writer.join();
  }
  ASSERT_FALSE(ended.empty()) << "the test needs a commit that waits";
  EXPECT_TRUE(committed.has_value()) << committed.error().message;
  EXPECT_EQ(store->Get(name)->row_version, 1u);
}

TEST(PostgresTlsTest, ChecksWhoseCertificateItIs) {
  const auto server = PostgresServerForTest::Start(PostgresServerForTest::Transport::kTls);
  if (!server) GTEST_SKIP() << server.error().message;
  const std::string connection = (*server)->NewSchema();
  const std::string trusted = " sslrootcert=" + (*server)->ca_file();
  const auto good = OpenPostgresStore({.connection = connection + trusted});
  ASSERT_TRUE(good.has_value()) << good.error().message;
  EXPECT_EQ(*(*server)->Execute("SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a "
                                "USING (pid) WHERE s.ssl AND a.application_name = 'dare-kms'"),
            "1");
  const auto untrusted = OpenPostgresStore({.connection = connection});
  EXPECT_EQ(untrusted.error().code, Code::kUnavailable) << "no authority, no connection";
  const auto named_otherwise =
      OpenPostgresStore({.connection = connection + trusted + " host=127.0.0.1"});
  ASSERT_FALSE(named_otherwise.has_value());
  EXPECT_THAT(named_otherwise.error().message, HasSubstr("does not match host name"));
}

}  // namespace
}  // namespace dare::store

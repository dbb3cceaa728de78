// What only the SQLite back end must answer for: its file, its disk, its death.
#include "store/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/file.h"
#include "store/sql_query.h"
#include "store/sqlite_connection.h"
#include "store/sqlite_copy.h"

namespace {
std::atomic<bool> g_sync_fails = false;
std::atomic<int> g_syncs = 0;
}  // namespace

// Stands before the C library's, for SQLite too.
extern "C" int fdatasync(int fd) {
  ++g_syncs;
  if (g_sync_fails) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

namespace dare::store {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kName = 0x420053;

ObjectRecord Record(const std::string& id) {
  return {.id = id,
          .object_type = 2,
          .state = 1,
          .owner = "alice",
          .created = 1'700'000'000,
          .attributes = Bytes(300, 'a'),
          .material = ToBytes(AsBytes("sealed material of " + id)),
          .index = {{.tag = kName, .key = "name of " + id, .scope = "alice", .unique = true}}};
}

// While it lives, the disk has no room: SQLite's writes fail with ENOSPC.
class FullDisk {
 public:
  FullDisk() { Set(reinterpret_cast<sqlite3_syscall_ptr>(&NoRoom)); }
  ~FullDisk() { Set(nullptr); }

 private:
  static ssize_t NoRoom(int, const void*, std::size_t, ...) {
    errno = ENOSPC;
    return -1;
  }
  static void Set(sqlite3_syscall_ptr call) {
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    for (const char* name : {"write", "pwrite", "pwrite64"}) vfs->xSetSystemCall(vfs, name, call);
  }
};

class SqliteStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "sqlite-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    base_ = folder;
    options_.path = folder + "/kms/store.db";
    options_.busy_timeout = std::chrono::milliseconds(20);
  }
  void TearDown() override {
    g_sync_fails = false;
    std::filesystem::remove_all(base_);
  }
  std::unique_ptr<ObjectStore> Open() {
    auto store = OpenSqliteStore(options_);
    EXPECT_TRUE(store.has_value()) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  static Result<void> Keep(ObjectStore& store, const ObjectRecord& record) {
    auto transaction = TRY(store.Begin());
    TRY(transaction->Insert(record));
    return transaction->Commit();
  }
  mode_t ModeOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
  }
  bool FileHolds(const std::string& text) {
    const Bytes bytes = *ReadFile(options_.path, 64u << 20);
    return AsText(bytes).find(text) != std::string_view::npos;
  }

  std::string base_;
  SqliteOptions options_;
};

TEST_F(SqliteStoreTest, FilesAreForTheOwnerOnly) {
  auto store = Open();
  ASSERT_TRUE(Keep(*store, Record("a")).has_value());
  EXPECT_EQ(ModeOf(options_.path), 0600u);
  EXPECT_EQ(ModeOf(options_.path + "-wal"), 0600u);
  EXPECT_EQ(ModeOf(options_.path + "-shm"), 0600u);
  EXPECT_EQ(ModeOf(FolderOf(options_.path)), 0700u);
}

TEST_F(SqliteStoreTest, EveryCommitIsSynced) {
  auto store = Open();
  for (int i = 0; i < 5; ++i) {
    g_syncs = 0;
    ASSERT_TRUE(Keep(*store, Record(std::to_string(i))).has_value());
    EXPECT_GE(g_syncs, 1);
  }
}

TEST_F(SqliteStoreTest, ReplacedMaterialDoesNotLinger) {
  auto store = Open();
  ObjectRecord record = Record("a");
  record.material = Bytes(9000, 'M');  // over several pages
  ASSERT_TRUE(Keep(*store, record).has_value());
  store.reset();
  ASSERT_TRUE(FileHolds(std::string(100, 'M')));
  store = Open();
  auto transaction = *store->Begin();
  record.material.clear();
  ASSERT_TRUE(transaction->Update(record, 1).has_value());
  ASSERT_TRUE(transaction->Commit().has_value());
  transaction.reset();
  store.reset();
  EXPECT_FALSE(FileHolds("MMMMMMMM"));
}

TEST_F(SqliteStoreTest, AFullDiskRefusesWritesAndServesReads) {
  auto store = Open();
  ASSERT_TRUE(Keep(*store, Record("a")).has_value());
  {
    const FullDisk full;
    const auto refused = Keep(*store, Record("b"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::kExhausted);
    EXPECT_THAT(refused.error().message, HasSubstr("disk is full"));
    EXPECT_TRUE(store->Get("a").has_value());
    EXPECT_EQ(store->Get("b").error().code, Code::kNotFound);
  }
  EXPECT_TRUE(Keep(*store, Record("b")).has_value()) << "there is room again";
  EXPECT_EQ(*store->Count({}), 2u);
}

TEST_F(SqliteStoreTest, AFullDiskInsideABigTransactionSpoilsAllOfIt) {
  options_.writer_cache_bytes = 64u << 10;  // so that it spills before the commit
  auto store = Open();
  ASSERT_TRUE(Keep(*store, Record("a")).has_value());
  {
    const FullDisk full;
    auto transaction = *store->Begin();
    Result<void> inserted;
    for (int i = 0; i < 1000 && inserted; ++i) {
      inserted = transaction->Insert(Record(std::to_string(i)));
    }
    ASSERT_FALSE(inserted.has_value()) << "the test needs a transaction that spills";
    EXPECT_EQ(inserted.error().code, Code::kExhausted);
    EXPECT_EQ(transaction->Insert(Record("more")).error().code, Code::kExhausted);
    EXPECT_EQ(transaction->PutMeta("more", {}).error().code, Code::kExhausted);
    EXPECT_EQ(transaction->Commit().error().code, Code::kExhausted);
  }
  EXPECT_EQ(*store->Count({}), 1u);
  EXPECT_TRUE(Keep(*store, Record("b")).has_value());
}

TEST_F(SqliteStoreTest, AFailedSyncIsNoCommit) {
  auto store = Open();
  ASSERT_TRUE(Keep(*store, Record("a")).has_value());
  g_sync_fails = true;
  const auto refused = Keep(*store, Record("b"));
  g_sync_fails = false;
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kIo);
  EXPECT_EQ(store->Get("b").error().code, Code::kNotFound);
  EXPECT_TRUE(store->Get("a").has_value());
  EXPECT_TRUE(Keep(*store, Record("b")).has_value());
}

TEST_F(SqliteStoreTest, ReadsBesideAnOwnerAndMakesNothing) {
  options_.sole_owner = true;
  auto store = Open();
  ASSERT_TRUE(Keep(*store, Record("a")).has_value());
  const auto beside = OpenSqliteStore({.path = options_.path, .read_only = true});
  ASSERT_TRUE(beside.has_value()) << beside.error().message;
  const auto snapshot = (*beside)->Snapshot();
  ASSERT_TRUE(snapshot.has_value());
  ASSERT_TRUE(Keep(*store, Record("b")).has_value()) << "the owner is not held up";
  EXPECT_EQ(*(*snapshot)->Count({}), 1u);
  EXPECT_EQ(*(*beside)->Count({}), 2u);
  EXPECT_EQ((*beside)->Begin().error().code, Code::kInvalidArgument);

  const std::string none = FolderOf(options_.path) + "/none.db";
  EXPECT_FALSE(OpenSqliteStore({.path = none, .read_only = true}).has_value());
  EXPECT_FALSE(std::filesystem::exists(none));
  ASSERT_TRUE(WriteFileDurably(none, {}, 0600).has_value());
  EXPECT_EQ(OpenSqliteStore({.path = none, .read_only = true}).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(std::filesystem::file_size(none), 0u);
}

TEST_F(SqliteStoreTest, ACopyHasWhatWasCommittedThoughTheFileDoesNotYet) {
  auto store = Open();
  ASSERT_TRUE(Keep(*store, Record("a")).has_value());
  auto transaction = *store->Begin();
  ASSERT_TRUE(transaction->Insert(Record("not yet")).has_value());
  const auto copy = CopySqliteDatabase(options_.path);
  ASSERT_TRUE(copy.has_value()) << copy.error().message;
  const std::string path = FolderOf(options_.path) + "/copy.db";
  ASSERT_TRUE(WriteFileDurably(path, *copy, 0600).has_value());
  const auto opened = OpenSqliteStore({.path = path});
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ((*opened)->Get("a")->owner, "alice");
  EXPECT_EQ(*(*opened)->Count({}), 1u);
  EXPECT_EQ(CopySqliteDatabase(path + ".none").error().code, Code::kNotFound);
}

TEST_F(SqliteStoreTest, ScanNamesARowThatCannotBeARecordAndGoesOn) {
  auto store = Open();
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(Keep(*store, Record(id)).has_value());
  Connection other = std::move(*Connection::Open(options_.path, {.may_write = true}));
  ASSERT_TRUE(other.Execute("UPDATE objects SET index_entries = x'00' WHERE id = 'b'").has_value());
  ASSERT_TRUE(other.Execute("UPDATE objects SET object_type = -1 WHERE id = 'c'").has_value());
  const auto page = *store->Scan(0, 10);
  ASSERT_EQ(page.items.size(), 3u);
  EXPECT_FALSE(page.items[0].damage);
  for (int i : {1, 2}) {
    ASSERT_TRUE(page.items[i].damage);
    EXPECT_EQ(page.items[i].damage->code, Code::kDamaged);
  }
  EXPECT_EQ(page.items[1].record.id, "b");
  EXPECT_EQ(page.items[2].record.id, "c");
}

TEST_F(SqliteStoreTest, AnotherProcessThatHoldsTheDatabaseIsWaitedForAndNamed) {
  auto store = Open();
  Connection other = std::move(*Connection::Open(options_.path, {.may_write = true}));
  ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE").has_value());
  const auto refused = store->Begin();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kTimeout);
  EXPECT_TRUE(store->Count({}).has_value()) << "readers do not wait";
  ASSERT_TRUE(other.Execute("ROLLBACK").has_value());
  EXPECT_TRUE(Keep(*store, Record("a")).has_value());
}

TEST_F(SqliteStoreTest, ASoleOwnerKeepsOthersOut) {
  options_.sole_owner = true;
  auto store = Open();
  const auto second = OpenSqliteStore(options_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::kUnavailable);
  store.reset();
  EXPECT_NE(Open(), nullptr);
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsRefusedUntouched) {
  std::filesystem::create_directories(FolderOf(options_.path));
  std::ofstream(options_.path) << std::string(5000, 'x');
  const auto refused = OpenSqliteStore(options_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kDamaged);
  EXPECT_THAT(refused.error().message, HasSubstr(options_.path));
  EXPECT_EQ(std::filesystem::file_size(options_.path), 5000u);
}

TEST_F(SqliteStoreTest, ADamagedFileGivesAnErrorNeverACrash) {
  {
    auto store = Open();
    auto transaction = *store->Begin();
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(transaction->Insert(Record("id" + std::to_string(i))).has_value());
    }
    ASSERT_TRUE(transaction->Commit().has_value());
  }
  const Bytes good = *ReadFile(options_.path, 64u << 20);
  std::mt19937 random(2024);  // NOLINT: the same damage every time
  int noticed = 0;
  for (int round = 0; round < 60; ++round) {
    Bytes bad = good;
    if (round % 10 == 0) {
      bad.resize(random() % bad.size());
    } else {
      const std::size_t page = random() % (bad.size() / 4096);
      for (int i = 0; i < 64; ++i)
        bad[page * 4096 + random() % 4096] = static_cast<std::uint8_t>(random());
    }
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(options_.path + suffix);
    std::ofstream(options_.path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bad.data()), static_cast<std::streamsize>(bad.size()));
    const auto store = OpenSqliteStore(options_);
    if (!store) {
      ++noticed;
      EXPECT_FALSE(store.error().message.empty());
      continue;
    }
    bool all_well = true;
    for (int i = 0; i < 300; i += 7) {
      const auto record = (*store)->Get("id" + std::to_string(i));
      if (record) continue;
      all_well = false;
      EXPECT_THAT(record.error().code,
                  AnyOf(Eq(Code::kDamaged), Eq(Code::kNotFound), Eq(Code::kIo)))
          << record.error().message;
    }
    if (!(*store)->FindRecords({.owner = "alice", .limit = 1000})) all_well = false;
    (void)Keep(**store, Record("new"));
    if (!all_well) ++noticed;
  }
  EXPECT_GT(noticed, 20);
}

TEST_F(SqliteStoreTest, BrokenIndexEntriesAreNamedAsDamage) {
  auto store = Open();
  ASSERT_TRUE(Keep(*store, Record("a")).has_value());
  Connection other = std::move(*Connection::Open(options_.path, {.may_write = true}));
  ASSERT_TRUE(other.Execute("UPDATE objects SET index_entries = x'00420053'").has_value());
  EXPECT_EQ(store->Get("a").error().code, Code::kDamaged);
  EXPECT_EQ((*store->Begin())->Remove("a").error().code, Code::kDamaged);
}

// docs/formats/record.md: what is looked up often is never a scan or a sort.
TEST_F(SqliteStoreTest, FrequentQuestionsAreAnsweredFromAnIndex) {
  auto store = Open();
  Connection connection = std::move(*Connection::Open(options_.path, {}));
  const auto plan = [&](const Query& query, SqlColumns columns) {
    std::string text;
    Statement row = *connection.Prepare("EXPLAIN QUERY PLAN " + BuildFind(query, columns).text);
    while (*row.Step()) text += row.Text(3) + "\n";
    return text;
  };
  const Query by_name{.entries = {{.tag = kName, .key = "n", .scope = "alice"}}, .owner = "alice"};
  const Query by_owner{.owner = "alice", .state = 2, .after = 7};
  for (const Query& query : {by_name, by_owner}) {
    for (const SqlColumns columns : {SqlColumns::kIds, SqlColumns::kRecords, SqlColumns::kCount}) {
      EXPECT_THAT(plan(query, columns), Not(HasSubstr("SCAN")));
      EXPECT_THAT(plan(query, columns), Not(HasSubstr("TEMP B-TREE")));
    }
  }
  EXPECT_THAT(plan(by_owner, SqlColumns::kCount), HasSubstr("COVERING INDEX"));
  EXPECT_THAT(plan({}, SqlColumns::kIds), Not(HasSubstr("TEMP B-TREE")));
  Query any_scope = by_name;
  any_scope.entries.front().scope.reset();
  EXPECT_THAT(plan(any_scope, SqlColumns::kIds), Not(HasSubstr("SCAN")));
}

// The child commits and reports each commit; what it reported before it was killed must be there,
// whole.
TEST_F(SqliteStoreTest, WhatWasAcknowledgedOutlivesAKilledProcess) {
  Open().reset();
  std::mt19937 random(7);  // NOLINT: the same moments every time, as far as a scheduler allows
  std::uint32_t first = 0;
  for (int round = 0; round < 10; ++round) {
    int acknowledged[2];
    ASSERT_EQ(pipe(acknowledged), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(acknowledged[0]);
      auto store = OpenSqliteStore(options_);
      if (!store) _exit(1);
      for (std::uint32_t i = first;; ++i) {
        auto transaction = (*store)->Begin();
        if (!transaction) _exit(1);
        for (const char* half : {"/l", "/r"}) {
          if (!(*transaction)->Insert(Record(std::to_string(i) + half))) _exit(1);
        }
        if (!(*transaction)->Commit()) _exit(1);
        if (write(acknowledged[1], &i, sizeof i) != sizeof i) _exit(1);
      }
    }
    close(acknowledged[1]);
    const std::uint32_t enough = first + 1 + random() % 40;
    std::uint32_t last = first, i = 0;
    bool any = false;
    while (read(acknowledged[0], &i, sizeof i) == sizeof i) {
      last = i;
      any = true;
      if (last >= enough) kill(child, SIGKILL);
    }
    close(acknowledged[0]);
    waitpid(child, nullptr, 0);
    ASSERT_TRUE(any);
    auto store = Open();
    for (std::uint32_t n = 0; n <= last; ++n) {
      ASSERT_TRUE(store->Get(std::to_string(n) + "/l").has_value()) << n << " of " << last;
      ASSERT_TRUE(store->Get(std::to_string(n) + "/r").has_value()) << n << " of " << last;
    }
    // At most one commit was not reported any more; it too is whole.
    const std::string next = std::to_string(last + 1);
    EXPECT_EQ(store->Get(next + "/l").has_value(), store->Get(next + "/r").has_value());
    first = last + (store->Get(next + "/l") ? 2 : 1);
    EXPECT_EQ(*store->Count({}), 2u * first);
  }
}

}  // namespace
}  // namespace dare::store

#include "backup/backup_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "hsm/memory_sealer_for_test.h"
#include "store/memory_store.h"

namespace dare::backup {
namespace {

class BackupFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "backup-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    file_ = folder + "/kms.backup";
    auto transaction = *store_->Begin();
    for (int i = 0; i < 3000; ++i) {
      const std::string id = "k" + std::to_string(i);
      store::ObjectRecord record{.id = id,
                                 .row_version = 1 + static_cast<std::uint64_t>(i % 5),
                                 .object_type = 2,
                                 .owner = "alice",
                                 .attributes = Bytes(200, static_cast<std::uint8_t>(i)),
                                 .material = Bytes(100, 7)};
      record.index = {{.tag = 0x420053, .key = id, .scope = "alice", .unique = true}};
      ASSERT_TRUE(transaction->Restore(record));
    }
    ASSERT_TRUE(transaction->PutMeta("record-key", AsBytes("sealed")));
    ASSERT_TRUE(transaction->PutMeta("audit-tail-3", AsBytes("of a running server")));
    ASSERT_TRUE(transaction->PutMeta("changes/one/3", AsBytes("for other running servers")));
    ASSERT_TRUE(transaction->PutMeta("table/credentials/login/alice", AsBytes("comes as a file")));
    ASSERT_TRUE(transaction->PutMeta("table/policy/in-force", AsBytes("1")));
    ASSERT_TRUE(transaction->PutMeta("table-sum/policy", AsBytes("sum")));
    ASSERT_TRUE(transaction->Commit());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<BackupSummary> Write(const CopyOptions& options = {}) {
    const auto snapshot = *store_->Snapshot();
    return WriteBackup(*snapshot, {.created = 5, .node = "n", .program = "p"}, attachments_,
                       *sealer_, file_, options);
  }

  // Puts what it is given into a store.
  class Restoration : public ItemVisitor {
   public:
    Result<void> Take(const Head&) override { return {}; }
    Result<void> Take(Fact fact) override { return transaction->PutMeta(fact.key, fact.value); }
    Result<void> Take(store::ObjectRecord record) override { return transaction->Restore(record); }
    Result<void> Take(Attachment attachment) override {
      attachments.push_back(std::move(attachment));
      return {};
    }
    std::unique_ptr<store::ObjectStore> store = store::MakeMemoryStore();
    std::unique_ptr<store::Transaction> transaction = *store->Begin();
    std::vector<Attachment> attachments;
  };
  Result<BackupSummary> Read(Restoration& restoration) {
    return ReadBackup(file_, *sealer_, restoration, {});
  }

  std::string folder_, file_;
  std::vector<Attachment> attachments_ = {{"config", Bytes(1 << 20, 'c')}};
  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
};

TEST_F(BackupFileTest, EverythingComesBackButWhatBelongsToARunningServer) {
  const auto written = Write();
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->counts, (Counts{.records = 3000, .facts = 3, .attachments = 1}));
  Restoration restoration;
  const auto read = Read(restoration);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->counts, written->counts);
  EXPECT_EQ(read->head.node, "n");
  EXPECT_EQ(read->bytes, written->bytes);
  ASSERT_TRUE(restoration.transaction->Commit());
  const auto before = *store_->Scan(0, 5000);
  const auto after = *restoration.store->Scan(0, 5000);
  ASSERT_EQ(after.items.size(), 3000u);
  for (std::size_t i = 0; i < 3000; ++i) {
    ASSERT_EQ(after.items[i].record, before.items[i].record) << "in the same order";
  }
  EXPECT_EQ(*restoration.store->ListMeta(""),
            (std::vector<std::string>{"record-key", "table-sum/policy", "table/policy/in-force"}));
  ASSERT_EQ(restoration.attachments.size(), 1u);
  EXPECT_EQ(restoration.attachments[0].content, attachments_[0].content);
}

TEST_F(BackupFileTest, NothingIsInTheClear) {
  ASSERT_TRUE(Write());
  const Bytes bytes = *ReadFile(file_, 64u << 20);
  for (const char* secret : {"alice", "k123", "record-key", "cccccccc"}) {
    EXPECT_EQ(AsText(bytes).find(secret), std::string_view::npos) << secret;
  }
  EXPECT_EQ(std::filesystem::status(file_).permissions(), std::filesystem::perms(0600));
}

TEST_F(BackupFileTest, ACutFileGivesNothing) {
  ASSERT_TRUE(Write());
  const auto size = std::filesystem::file_size(file_);
  for (const std::uintmax_t cut : {std::uintmax_t{1}, std::uintmax_t{17}, size / 2, size - 1}) {
    std::filesystem::resize_file(file_, size - cut);
    Restoration restoration;
    const auto read = Read(restoration);
    ASSERT_FALSE(read) << cut;
    EXPECT_EQ(read.error().code, Code::kDamaged) << cut;
    EXPECT_EQ(*restoration.transaction->Count({}), 0u) << "refused before the first item";
    std::filesystem::remove(file_);
    ASSERT_TRUE(Write());
  }
}

TEST_F(BackupFileTest, AFlippedByteAnywhereIsRefused) {
  ASSERT_TRUE(Write());
  const Bytes good = *ReadFile(file_, 64u << 20);
  for (std::size_t at = 0; at < good.size(); at += good.size() / 31) {
    Bytes bad = good;
    bad[at] ^= 1;
    ASSERT_TRUE(WriteFileDurably(file_, bad, 0600));
    Restoration restoration;
    EXPECT_FALSE(Read(restoration)) << at;
  }
}

TEST_F(BackupFileTest, AnotherHsmOpensNothingAndSaysSo) {
  ASSERT_TRUE(Write());
  const auto other = hsm::MemorySealerForTest::Make();
  Restoration restoration;
  const auto read = ReadBackup(file_, *other, restoration, {});
  ASSERT_FALSE(read);
  EXPECT_EQ(*restoration.transaction->Count({}), 0u);
}

TEST_F(BackupFileTest, WhatIsInterruptedLeavesNoFile) {
  const std::atomic<bool> cancelled = true;
  const auto written = Write({.cancelled = &cancelled});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().detail, static_cast<std::uint64_t>(EINTR));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(BackupFileTest, NeverWritesOverAFile) {
  ASSERT_TRUE(Write());
  EXPECT_EQ(Write().error().code, Code::kAlreadyExists);
}

TEST_F(BackupFileTest, CopiesOnlyIntoAnEmptyStore) {
  EXPECT_EQ(RequireEmpty(*store_).error().code, Code::kAlreadyExists);
  const auto empty = store::MakeMemoryStore();
  EXPECT_TRUE(RequireEmpty(*empty));
  const auto snapshot = *store_->Snapshot();
  auto transaction = *empty->Begin();
  const auto counts = CopyWhole(*snapshot, *transaction, {});
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->records, 3000u);
  EXPECT_EQ(counts->facts, 5u) << "a migration takes all, the server's own included";
}

}  // namespace
}  // namespace dare::backup

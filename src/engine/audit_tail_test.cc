#include "engine/audit_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "audit/audit_log.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "engine/vault.h"
#include "hsm/memory_sealer_for_test.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AuditTailTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "tail-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.folder = folder;
    options_.sync_interval = std::chrono::hours(1);  // nothing happens behind a test's back
    Open();
  }
  void TearDown() override {
    log_.reset();
    std::filesystem::remove_all(options_.folder);
  }
  void Open() {
    log_.reset();  // one at a time has the folder
    log_ = std::move(*audit::AuditLog::Open(options_, clock_));
    recovered_ = AuditTail::Recover(*store_, *vault_, *log_, node_, whose_);
    tail_ = std::make_unique<AuditTail>(*vault_, *log_, node_);
  }
  // A group of one change, with its entry in the log's file and in the store.
  void Change(const std::string& object) {
    auto transaction = store_->Begin();
    const audit::Entry entry{.principal = "alice", .operation = "Create", .object_id = object};
    const auto sequence = log_->Append(entry);
    ASSERT_TRUE(sequence.has_value());
    ASSERT_TRUE(log_->Flush().has_value());
    ASSERT_TRUE(tail_->Put(**transaction, std::vector<audit::NumberedEntry>{{*sequence, entry}}));
    ASSERT_TRUE((*transaction)->Commit());
  }
  std::vector<std::string> Lines() {
    std::ifstream file(Path(), std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  // What a power failure does to a file that was written and not synced.
  void LoseAllAfter(std::size_t lines_kept) {
    log_.reset();
    std::vector<std::string> lines = Lines();
    lines.resize(lines_kept);
    std::ofstream file(Path(), std::ios::binary | std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
  }
  std::string Path() const { return options_.folder + "/audit-000001.jsonl"; }
  std::vector<std::string> Rows() { return store_->ListMeta("audit-tail-").value(); }
  bool Intact() { return audit::Verify(options_.folder).value().intact; }

  ManualClockForTest clock_;
  audit::AuditOptions options_;
  std::string node_ = "n1";
  AuditTail::Whose whose_ = AuditTail::Whose::kOfNode;
  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
  std::unique_ptr<Vault> vault_ = std::move(*Vault::Open(*store_, *sealer_));
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<AuditTail> tail_;
  Result<void> recovered_;
};

TEST_F(AuditTailTest, GivesTheLogBackWhatThePowerTook) {
  for (const char* object : {"a", "b", "c"}) Change(object);
  LoseAllAfter(1);
  Open();
  ASSERT_TRUE(recovered_.has_value());
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[1], HasSubstr("\"object\":\"b\""));
  EXPECT_THAT(lines[1], HasSubstr("recovered, was entry 2"));
  EXPECT_THAT(lines[2], HasSubstr("recovered, was entry 3"));
  EXPECT_THAT(lines[3], HasSubstr("audit-recovered"));
  EXPECT_TRUE(Intact());
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(AuditTailTest, ASecondStartAddsNothing) {
  Change("a");
  LoseAllAfter(0);
  Open();
  EXPECT_EQ(Lines().size(), 2u);
  log_.reset();
  Open();
  EXPECT_EQ(Lines().size(), 2u);
  EXPECT_TRUE(Intact());
}

TEST_F(AuditTailTest, NothingIsAddedWhereNothingWasLost) {
  Change("a");
  Change("b");
  log_.reset();
  Open();
  EXPECT_EQ(Lines().size(), 2u);
  EXPECT_THAT(Rows(), IsEmpty());
}

// The power fails a second time: after the log took the entries, before the store was emptied.
TEST_F(AuditTailTest, ASecondFailureDuringRecoveryLosesNothing) {
  for (const char* object : {"a", "b", "c"}) Change(object);
  const std::vector<std::string> keys = Rows();
  std::vector<Bytes> rows;
  for (const std::string& key : keys) rows.push_back(store_->GetMeta(key).value());
  for (std::size_t kept = 0; kept <= 4; ++kept) {
    LoseAllAfter(0);
    Open();  // gives all three back, with a note
    auto transaction = store_->Begin();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSERT_TRUE((*transaction)->PutMeta(keys[i], rows[i]));
    }
    ASSERT_TRUE((*transaction)->Commit());
    LoseAllAfter(kept);
    Open();
    std::string all;
    for (const std::string& line : Lines()) all += line;
    for (const char* object : {"a", "b", "c"}) {
      EXPECT_THAT(all, HasSubstr(std::string("\"object\":\"") + object)) << kept;
    }
    EXPECT_TRUE(Intact());
    transaction = store_->Begin();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ASSERT_TRUE((*transaction)->PutMeta(keys[i], rows[i]));
    }
    ASSERT_TRUE((*transaction)->Commit());
  }
}

TEST_F(AuditTailTest, WritesOverRowsThatTheLogHasOnItsDisk) {
  Change("a");
  Change("b");
  EXPECT_THAT(Rows(), ElementsAre("audit-tail-n1/0", "audit-tail-n1/1"));
  ASSERT_TRUE(log_->FlushAndSync().has_value());
  Change("c");
  Change("d");
  EXPECT_EQ(Rows().size(), 2u);
  Change("e");
  EXPECT_EQ(Rows().size(), 3u);
  LoseAllAfter(2);
  Open();
  EXPECT_EQ(Lines().size(), 6u);  // c, d, e and the note
}

TEST_F(AuditTailTest, ANodeTakesItsOwnRowsAndLeavesThoseOfOthers) {
  node_ = "n10";
  Open();
  Change("a");
  LoseAllAfter(0);
  node_ = "n1";
  Open();
  EXPECT_THAT(Lines(), IsEmpty());
  Change("b");
  EXPECT_THAT(Rows(), ElementsAre("audit-tail-n1/0", "audit-tail-n10/0"));
  LoseAllAfter(0);
  Open();
  EXPECT_THAT(Lines()[0], HasSubstr("\"object\":\"b\""));
  EXPECT_THAT(Rows(), ElementsAre("audit-tail-n10/0"));
  LoseAllAfter(0);
  node_ = "n10";
  Open();
  EXPECT_THAT(Lines()[0], HasSubstr("\"object\":\"a\""));
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(AuditTailTest, AMachineOnItsOwnFindsItsRowsUnderItsOldName) {
  Change("a");
  LoseAllAfter(0);
  node_ = "renamed";
  whose_ = AuditTail::Whose::kAll;
  Open();
  EXPECT_THAT(Lines()[0], HasSubstr("\"object\":\"a\""));
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(AuditTailTest, KeepsNoMoreRowsThanItsBound) {
  for (int i = 0; i < 300; ++i) Change("o");
  EXPECT_EQ(Rows().size(), 256u);
  EXPECT_GE(log_->synced(), 256u);
}

TEST_F(AuditTailTest, WhoWritesToTheDatabaseCannotWriteIntoTheLog) {
  Change("a");
  Bytes row = store_->GetMeta("audit-tail-n1/0").value();
  row[row.size() / 2] ^= 1;
  auto transaction = store_->Begin();
  ASSERT_TRUE((*transaction)->PutMeta("audit-tail-n1/0", row));
  ASSERT_TRUE((*transaction)->PutMeta("audit-tail-n1/1", Bytes(5)));
  ASSERT_TRUE((*transaction)->Commit());
  LoseAllAfter(0);
  Open();
  EXPECT_TRUE(recovered_.has_value()) << "the server starts all the same";
  EXPECT_THAT(Lines(), IsEmpty());
  EXPECT_THAT(Rows(), IsEmpty());
}

}  // namespace
}  // namespace dare::engine

#include "engine/group_commit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "audit/audit_log.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "engine/answer_for_test.h"
#include "engine/kms.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/message.h"
#include "kmip/payloads/create.h"
#include "kmip/request_identity.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace {
std::atomic<bool> g_sync_fails = false;
std::atomic<int> g_syncs = 0;
}  // namespace

// Stands before the C library's, so that a test can let the audit log's sync fail.
extern "C" int fdatasync(int fd) {
  ++g_syncs;
  if (g_sync_fails) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

namespace dare::engine {
namespace {

using kmip::Tag;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// True so often, and then no more.
bool TakeOne(std::atomic<int>& left) {
  int now = left;
  while (now > 0 && !left.compare_exchange_weak(now, now - 1)) {
  }
  return now > 0;
}

// What goes wrong in a store, and how often.
struct Faults {
  std::atomic<bool> commit_fails = false;
  std::atomic<int> conflicts_at_commit = 0, conflicts_before = 0;
};

// Passes everything on to a transaction, except that Settle and Commit may fail.
class Transaction : public store::Transaction {
 public:
  Transaction(std::unique_ptr<store::Transaction> inner, Faults& faults)
      : inner_(std::move(inner)), faults_(faults) {}
  Result<store::ObjectRecord> Get(const store::ObjectId& id) const override {
    return inner_->Get(id);
  }
  Result<store::Page<store::ObjectId>> Find(const store::Query& query) const override {
    return inner_->Find(query);
  }
  Result<store::Page<store::ObjectRecord>> FindRecords(const store::Query& query) const override {
    return inner_->FindRecords(query);
  }
  Result<std::uint64_t> Count(const store::Query& query) const override {
    return inner_->Count(query);
  }
  Result<Bytes> GetMeta(const std::string& key) const override { return inner_->GetMeta(key); }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return inner_->ListMeta(prefix);
  }
  Result<void> Insert(const store::ObjectRecord& record) override { return inner_->Insert(record); }
  Result<void> Restore(const store::ObjectRecord& record) override {
    return inner_->Restore(record);
  }
  Result<void> Update(const store::ObjectRecord& record, std::uint64_t expected) override {
    return inner_->Update(record, expected);
  }
  Result<void> Remove(const store::ObjectId& id) override { return inner_->Remove(id); }
  Result<void> PutMeta(const std::string& key, ByteView value) override {
    return inner_->PutMeta(key, value);
  }
  Result<void> RemoveMeta(const std::string& key) override { return inner_->RemoveMeta(key); }
  Result<void> Savepoint() override { return inner_->Savepoint(); }
  Result<void> RollbackTo() override { return inner_->RollbackTo(); }
  Result<void> Release() override { return inner_->Release(); }
  Result<void> Settle() override {
    if (TakeOne(faults_.conflicts_before)) return Error(Code::kConflict, "a name was taken");
    return inner_->Settle();
  }
  Result<void> Commit() override {
    if (faults_.commit_fails) return Error(Code::kIo, "the disk said no");
    if (TakeOne(faults_.conflicts_at_commit)) return Error(Code::kConflict, "another node");
    return inner_->Commit();
  }

 private:
  const std::unique_ptr<store::Transaction> inner_;
  Faults& faults_;
};

class Store : public store::ObjectStore, public Faults {
 public:
  Result<store::ObjectRecord> Get(const store::ObjectId& id) const override {
    return inner_->Get(id);
  }
  Result<store::Page<store::ObjectId>> Find(const store::Query& query) const override {
    return inner_->Find(query);
  }
  Result<store::Page<store::ObjectRecord>> FindRecords(const store::Query& query) const override {
    return inner_->FindRecords(query);
  }
  Result<std::uint64_t> Count(const store::Query& query) const override {
    return inner_->Count(query);
  }
  Result<Bytes> GetMeta(const std::string& key) const override { return inner_->GetMeta(key); }
  Result<std::vector<std::string>> ListMeta(const std::string& prefix) const override {
    return inner_->ListMeta(prefix);
  }
  Result<store::Page<store::PlacedRecord>> Scan(std::uint64_t after,
                                                std::size_t limit) const override {
    return inner_->Scan(after, limit);
  }
  Result<std::uint64_t> Extent() const override { return inner_->Extent(); }
  Result<store::EntryPage> ScanEntries(const std::optional<store::PlacedEntry>& from,
                                       std::size_t limit) const override {
    return inner_->ScanEntries(from, limit);
  }
  Result<std::unique_ptr<store::WholeReader>> Snapshot() const override {
    return inner_->Snapshot();
  }
  Result<std::unique_ptr<store::Transaction>> Begin() override {
    return std::unique_ptr<store::Transaction>(
        std::make_unique<Transaction>(TRY(inner_->Begin()), *this));
  }

 private:
  const std::unique_ptr<store::ObjectStore> inner_ = store::MakeMemoryStore();
};

// A server whose disks can be made to fail, and whose power can.
class GroupCommitTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (std::filesystem::temp_directory_path() / "commit-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.folder = folder;
    options_.sync_interval = std::chrono::hours(1);  // nothing happens behind a test's back
    Start();
  }
  void TearDown() override {
    g_sync_fails = false;
    Stop();
    std::filesystem::remove_all(options_.folder);
  }
  void Start() {
    log_ = std::move(*audit::AuditLog::Open(options_, SystemClock::Get()));
    kms_ = std::move(*Kms::Open({}, store_, *sealer_, *log_, SystemClock::Get()));
  }
  void Stop() {
    kms_.reset();
    log_.reset();
  }

  static WipingBytes CreateRequest(kmip::CryptographicAlgorithm algorithm, ByteView identity) {
    kmip::CreateRequest request;
    request.object_type = kmip::ObjectType::kSymmetricKey;
    kmip::AttributeSet& wanted = request.attributes.attributes;
    wanted.Add(kmip::Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                                              static_cast<std::uint32_t>(algorithm)));
    wanted.Add(kmip::Attribute::OfInteger(Tag::kCryptographicLength, 256));
    wanted.Add(kmip::Attribute::OfInteger(Tag::kCryptographicUsageMask, 12));
    ttlv::Writer out;
    out.Structure(Tag::kRequestMessage, [&] {
      kmip::RequestHeader header;
      header.version = kmip::kVersion2_1;
      header.batch_count = 1;
      kmip::WriteRequestHeader(out, header);
      out.Structure(Tag::kBatchItem, [&] {
        out.Enum(Tag::kOperation, kmip::Operation::kCreate);
        out.Structure(Tag::kRequestPayload, [&] { request.Encode(out, kmip::kVersion2_1); });
        if (!identity.empty()) kmip::WriteRequestIdentity(out, identity, false);
      });
    });
    return out.Take();
  }
  std::future<WipingBytes> Submit(
      kmip::CryptographicAlgorithm algorithm = kmip::CryptographicAlgorithm::kAES,
      ByteView identity = {}) {
    auto caller = std::make_shared<Caller>();
    caller->principal.name = "alice";
    return SubmitForTest(*kms_, CreateRequest(algorithm, identity), caller);
  }
  static bool Succeeded(std::future<WipingBytes> answer) {
    const WipingBytes bytes = answer.get();
    return kmip::ResponseMessage::Open(bytes)->Next()->status == kmip::ResultStatus::kSuccess;
  }
  std::uint64_t Objects() { return store_.Count({}).value(); }
  std::string Path() const { return options_.folder + "/audit-000001.jsonl"; }
  std::string Log() {
    std::ifstream file(Path(), std::ios::binary);
    std::ostringstream all;
    all << file.rdbuf();
    return all.str();
  }

  audit::AuditOptions options_;
  Store store_;
  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<Kms> kms_;
};

TEST_F(GroupCommitTest, AnswersEveryoneOfManyOnce) {
  std::vector<std::future<WipingBytes>> answers;
  for (int i = 0; i < 600; ++i) answers.push_back(Submit());
  for (auto& answer : answers) EXPECT_TRUE(Succeeded(std::move(answer)));
  EXPECT_EQ(Objects(), 600u);
  EXPECT_TRUE(Succeeded(Submit())) << "alone after many";
  EXPECT_TRUE(Succeeded(Submit())) << "alone after one";
}

TEST_F(GroupCommitTest, AnswersWhoWaitsWhenItEnds) {
  std::future<WipingBytes> last;
  for (int i = 0; i < 20; ++i) last = Submit();
  kms_.reset();
  EXPECT_TRUE(Succeeded(std::move(last)));
  EXPECT_EQ(Objects(), 20u);
}

TEST_F(GroupCommitTest, AChangeAndItsEntryAreOnOneDiskBeforeTheAnswer) {
  g_syncs = 0;
  EXPECT_TRUE(Succeeded(Submit()));
  EXPECT_EQ(g_syncs, 0) << "the store's commit is the sync";
  EXPECT_THAT(Log(), HasSubstr("\"operation\":\"Create\""));
  EXPECT_EQ(store_.ListMeta("audit-tail-").value().size(), 1u);
}

TEST_F(GroupCommitTest, ThePowerFailsBetweenTheTwoDisks) {
  EXPECT_TRUE(Succeeded(Submit()));
  const std::string synced = Log();
  EXPECT_TRUE(Succeeded(Submit()));
  Stop();
  std::filesystem::resize_file(Path(), synced.size());
  Start();
  EXPECT_EQ(Objects(), 2u);
  EXPECT_THAT(Log().substr(synced.size()), HasSubstr("recovered, was entry 3"));
  Stop();
  const std::string once = Log();
  Start();
  EXPECT_THAT(Log().substr(once.size()), Not(HasSubstr("recovered"))) << "once is enough";
  EXPECT_TRUE(audit::Verify(options_.folder).value().intact);
}

TEST_F(GroupCommitTest, EntriesTellVersionAndGroupAndAStartHowManyThereWere) {
  EXPECT_THAT(Log(), AllOf(HasSubstr("\"store-opened\""), Not(HasSubstr("\"group\""))));
  EXPECT_TRUE(Succeeded(Submit()));
  EXPECT_THAT(Log(), HasSubstr("\"version\":1,\"group\":1}"));
  EXPECT_TRUE(Succeeded(Submit()));
  EXPECT_THAT(Log(), HasSubstr("\"version\":1,\"group\":2}"));
  Stop();
  const std::string before = Log();
  Start();
  EXPECT_THAT(Log().substr(before.size()),
              AllOf(HasSubstr("\"store-opened\""), HasSubstr("\"group\":2}")));
}

TEST_F(GroupCommitTest, AFailedCommitIsRefusedAndRecorded) {
  store_.commit_fails = true;
  EXPECT_FALSE(Succeeded(Submit()));
  store_.commit_fails = false;
  EXPECT_EQ(Objects(), 0u);
  EXPECT_THAT(Log(), HasSubstr("rolled back: the disk said no"));
  EXPECT_TRUE(Succeeded(Submit()));
  EXPECT_EQ(Objects(), 1u);
}

TEST_F(GroupCommitTest, ARequestIsRememberedWithItsChangeOrNotAtAll) {
  const auto aes = kmip::CryptographicAlgorithm::kAES;
  const Bytes identity(16, 1);
  store_.commit_fails = true;
  EXPECT_FALSE(Succeeded(Submit(aes, identity)));
  store_.commit_fails = false;
  EXPECT_TRUE(store_.ListMeta("request/").value().empty());
  std::vector<std::future<WipingBytes>> answers;  // of one group: the later ones see the first
  for (int i = 0; i < 20; ++i) answers.push_back(Submit(aes, identity));
  for (auto& answer : answers) EXPECT_TRUE(Succeeded(std::move(answer)));
  EXPECT_EQ(Objects(), 1u);
}

// The first line is about the store, which was opened.
std::ptrdiff_t LinesOfRequests(const std::string& log) {
  EXPECT_THAT(log, HasSubstr("store-opened"));
  return std::count(log.begin(), log.end(), '\n') - 1;
}

TEST_F(GroupCommitTest, AGroupThatAnotherNodeWasFasterThanBeginsAgain) {
  store_.conflicts_before = 3;
  EXPECT_TRUE(Succeeded(Submit()));
  EXPECT_EQ(Objects(), 1u);
  EXPECT_EQ(store_.conflicts_before, 0);
  const std::string log = Log();
  EXPECT_EQ(LinesOfRequests(log), 1) << "the log hears of it once: " << log;
}

TEST_F(GroupCommitTest, ALineThatWasWrittenTooEarlyIsFollowedByTheTruth) {
  store_.conflicts_at_commit = 1;
  EXPECT_TRUE(Succeeded(Submit()));
  EXPECT_EQ(Objects(), 1u);
  const std::string log = Log();
  EXPECT_THAT(log, HasSubstr("rolled back, to begin again: another node"));
  EXPECT_EQ(LinesOfRequests(log), 3) << log;
}

TEST_F(GroupCommitTest, WhoIsAlwaysSlowerIsRefusedInTheEndAndKeepsNobody) {
  store_.conflicts_before = 1'000'000;
  std::vector<std::future<WipingBytes>> answers;
  for (int i = 0; i < 3; ++i) answers.push_back(Submit());
  for (auto& answer : answers) EXPECT_FALSE(Succeeded(std::move(answer)));
  EXPECT_EQ(Objects(), 0u);
  store_.conflicts_before = 0;
  EXPECT_TRUE(Succeeded(Submit()));
}

TEST_F(GroupCommitTest, NothingHappensThatTheLogCannotTake) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = 10;
  setrlimit(RLIMIT_FSIZE, &full);
  const bool succeeded = Succeeded(Submit());
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(succeeded);
  EXPECT_EQ(Objects(), 0u);
  EXPECT_TRUE(store_.ListMeta("audit-tail-").value().empty());
}

TEST_F(GroupCommitTest, AfterAFailedSyncTheChangeStandsAndNoFurtherOneHappens) {
  EXPECT_TRUE(Succeeded(Submit()));
  g_sync_fails = true;
  EXPECT_FALSE(log_->FlushAndSync().has_value());
  g_sync_fails = false;
  EXPECT_FALSE(Succeeded(Submit()));
  EXPECT_EQ(Objects(), 1u);
  Stop();
  std::filesystem::resize_file(Path(), 0);  // the disk never had it
  Start();
  EXPECT_THAT(Log(), HasSubstr("recovered, was entry 2"));
  EXPECT_TRUE(Succeeded(Submit()));
}

TEST_F(GroupCommitTest, ARefusalLeavesNothingInTheStore) {
  EXPECT_FALSE(Succeeded(Submit(kmip::CryptographicAlgorithm::kRSA)));
  EXPECT_THAT(Log(), HasSubstr("\"outcome\":\"failed\""));
  EXPECT_TRUE(store_.ListMeta("audit-tail-").value().empty());
}

}  // namespace
}  // namespace dare::engine

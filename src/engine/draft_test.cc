#include "engine/draft.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "audit/audit_log.h"
#include "base/clock.h"
#include "base/file.h"
#include "custody/sealer_ring.h"
#include "engine/answer_for_test.h"
#include "engine/kms.h"
#include "engine/messages_for_test.h"
#include "hsm/memory_sealer_for_test.h"
#include "hsm/sealed_record.h"
#include "kmip/message.h"
#include "kmip/payloads/cancel.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/set_constraints.h"
#include "kmip/tags.h"
#include "policy/document.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Tag;

// What was answered to a message of one item.
struct Answer {
  bool success = false;
  kmip::ResultReason reason{};
  std::string id;  // of what was made
};

// Keeps the writer thread until it is let go.
class HoldWriter : public Completion {
 public:
  HoldWriter(std::promise<void> held, std::future<void> go)
      : held_(std::move(held)), go_(std::move(go)) {}
  void Done(WipingBytes) override {
    held_.set_value();
    go_.wait();
  }

 private:
  std::promise<void> held_;
  const std::future<void> go_;
};

// A key that takes its time over each seal.
class SlowSealer : public hsm::Sealer {
 public:
  explicit SlowSealer(ManualClockForTest& clock) : clock_(clock) {}
  Result<Bytes> Seal(ByteView aad, ByteView secret) override {
    clock_.Advance(seconds);
    return inner_->Seal(aad, secret);
  }
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override {
    return inner_->Open(aad, sealed);
  }
  hsm::SealerInfo info() const override { return inner_->info(); }
  std::uint64_t seals() const override { return inner_->seals(); }

  std::atomic<int> seconds = 0;

 private:
  ManualClockForTest& clock_;
  const std::unique_ptr<hsm::MemorySealerForTest> inner_ = hsm::MemorySealerForTest::Make();
};

// A server whose writer thread is kept from its work while requests come in.
class DraftTest : public testing::Test {
 protected:
  DraftTest() {
    folder_ = (std::filesystem::temp_directory_path() / "draft-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    Use(first_);
    log_ = std::move(*audit::AuditLog::Open({.folder = folder_}, clock_));
    kms_ = std::move(*Kms::Open({}, *store_, ring_, *log_, clock_));
  }
  ~DraftTest() override {
    Release();
    kms_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Use(const std::shared_ptr<hsm::Sealer>& sealer) {
    ring_.Put({sealer, nullptr});
    EXPECT_TRUE(ring_.SetCurrent(sealer->info().key_id).has_value());
  }

  template <typename Request>
  static WipingBytes Message(const Request& request, ByteView identity = {},
                             kmip::Asynchrony asynchrony = kmip::Asynchrony::kProhibited) {
    return MessageForTest<Request>({request}, identity, asynchrony);
  }
  static std::shared_ptr<const Caller> Alice() {
    auto caller = std::make_shared<Caller>();
    caller->principal.name = "alice";
    return caller;
  }

  std::future<WipingBytes> Submit(WipingBytes message) {
    return SubmitForTest(*kms_, std::move(message), Alice());
  }
  std::future<WipingBytes> SubmitKey(const std::string& name = "", ByteView identity = {}) {
    return Submit(Message(CreateAesForTest(name), identity));
  }
  static Answer Read(std::future<WipingBytes> coming) {
    const WipingBytes bytes = coming.get();
    auto message = kmip::ResponseMessage::Open(bytes);
    auto item = message->Next();
    Answer answer;
    answer.success = item->status == kmip::ResultStatus::kSuccess;
    answer.reason = item->reason.value_or(kmip::ResultReason{});
    if (!item->payload || item->operation != kmip::Operation::kCreate) return answer;
    auto members = item->payload->Members();
    answer.id = kmip::CreateResponse::Decode(*members, kmip::kVersion2_1)->id;
    return answer;
  }

  // The writer is between two groups until Release.
  void Hold() {
    std::promise<void> held;
    std::future<void> holds = held.get_future();
    go_.emplace();
    kms_->Submit(Message(CreateAesForTest()), Alice(),
                 std::make_unique<HoldWriter>(std::move(held), go_->get_future()));
    holds.wait();
  }
  void Release() {
    if (go_) go_->set_value();
    go_.reset();
  }
  // A policy of one domain that says `rest` of it.
  void Enforce(const std::string& rest) {
    Result<policy::Policy> policy =
        policy::ParsePolicy("format = 1\n[[domain]]\nname = \"default\"\n" + rest, "policy");
    ASSERT_TRUE(policy) << policy.error().message;
    kms_->access().Enforce(std::make_shared<policy::Policy>(*std::move(policy)));
  }
  std::uint64_t Objects() { return store_->Count({}).value(); }
  Bytes KeyOf(const std::string& id) { return *hsm::KeyIdOf(store_->Get(id)->material); }

  ManualClockForTest clock_;
  std::string folder_;
  const std::shared_ptr<SlowSealer> first_ = std::make_shared<SlowSealer>(clock_);
  const std::shared_ptr<hsm::Sealer> second_ = hsm::MemorySealerForTest::Make();
  custody::SealerRing ring_;
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<Kms> kms_;
  std::optional<std::promise<void>> go_;
};

// A draft is thrown away where it does not hold: what acts on more than paper must wait for the
// writer, or it would be done twice.
TEST_F(DraftTest, WhatMakesNothingIsNotBegun) {
  auto pending = Submit(Message(CreateAesForTest(), {}, kmip::Asynchrony::kMandatory));
  const WipingBytes accepted = pending.get();
  auto message = kmip::ResponseMessage::Open(accepted);
  auto item = message->Next();
  ASSERT_EQ(item->status, kmip::ResultStatus::kOperationPending);
  const ByteView correlation = *item->asynchronous_correlation;
  Hold();
  auto answer = Submit(Message(kmip::CancelRequest{{correlation.begin(), correlation.end()}}));
  Release();
  EXPECT_TRUE(Read(std::move(answer)).success) << "it was cancelled already, on paper";
}

TEST_F(DraftTest, AKeyIsSealedOnceBeforeTheWriterTakesItsRequest) {
  Hold();
  const std::uint64_t before = first_->seals();
  auto answer = SubmitKey();
  EXPECT_EQ(first_->seals(), before + 1);
  EXPECT_EQ(Objects(), 1u) << "nothing is written yet";
  Release();
  const Answer made = Read(std::move(answer));
  EXPECT_TRUE(made.success);
  EXPECT_EQ(first_->seals(), before + 1);
  const auto vault = Vault::Open(*store_, ring_);
  const auto loaded = (*vault)->Load(*store_, made.id, Vault::Material::kOpen);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->object.Block()->KeyBytes()->size(), 32u);
}

// A rotation that ended between the two would have looked at every record, and not at this one: the
// key that it retired must not come back.
TEST_F(DraftTest, ADraftUnderAKeyThatWasRotatedMeanwhileIsSealedAnew) {
  Hold();
  const std::uint64_t before = first_->seals();
  auto answer = SubmitKey();
  EXPECT_EQ(first_->seals(), before + 1);
  Use(second_);
  ring_.Remove(first_->info().key_id);
  Release();
  const Answer made = Read(std::move(answer));
  EXPECT_TRUE(made.success);
  EXPECT_EQ(KeyOf(made.id), second_->info().key_id);
  EXPECT_EQ(second_->seals(), 1u);
  EXPECT_EQ(Objects(), 2u);
}

TEST_F(DraftTest, OfTwoDraftsWithOneNameTheSecondIsRefused) {
  Hold();
  auto first = SubmitKey("backup");
  auto second = SubmitKey("backup");
  auto third = SubmitKey("other");
  Release();
  EXPECT_TRUE(Read(std::move(first)).success);
  EXPECT_EQ(Read(std::move(second)).reason, kmip::ResultReason::kNonUniqueNameAttribute);
  EXPECT_TRUE(Read(std::move(third)).success);
  EXPECT_EQ(Objects(), 3u);
}

TEST_F(DraftTest, ARequestThatIsRepeatedWhileItWaitsIsDoneOnce) {
  const Bytes identity(16, 7);
  Hold();
  auto first = SubmitKey("", identity);
  auto second = SubmitKey("", identity);
  Release();
  const Answer made = Read(std::move(first));
  EXPECT_TRUE(made.success);
  EXPECT_EQ(Read(std::move(second)).id, made.id);
  EXPECT_EQ(Objects(), 2u);
  EXPECT_EQ(Read(SubmitKey("", identity)).id, made.id) << "and later";
}

TEST_F(DraftTest, KeepsToRulesThatWereSetWhileItWaited) {
  kmip::Constraint constraint;
  constraint.object_types = {kmip::ObjectType::kSymmetricKey};
  constraint.attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 192));
  Hold();
  auto set = Submit(Message(kmip::SetConstraintsRequest{.constraints = {constraint}}));
  auto made = SubmitKey();
  Release();
  EXPECT_TRUE(Read(std::move(set)).success);
  EXPECT_EQ(Read(std::move(made)).reason, kmip::ResultReason::kConstraintViolation);
  Hold();  // refused, too, and holds all the same
  made = SubmitKey();
  auto fitting = Submit(Message(CreateAesForTest("", 192)));
  Release();
  EXPECT_EQ(Read(std::move(made)).reason, kmip::ResultReason::kConstraintViolation);
  EXPECT_TRUE(Read(std::move(fitting)).success);
}

TEST_F(DraftTest, ADraftThatWasJudgedUnderAnotherPolicyIsJudgedAnew) {
  Hold();
  const std::uint64_t before = first_->seals();
  auto answer = SubmitKey();
  EXPECT_EQ(first_->seals(), before + 1);
  Enforce("[domain.roles]\nclient = [\"principal:bob\"]\n");
  Release();
  EXPECT_EQ(Read(std::move(answer)).reason, kmip::ResultReason::kPermissionDenied);
  EXPECT_EQ(Objects(), 1u);
  Hold();  // refused, too, and holds all the same
  answer = SubmitKey();
  Enforce("[domain.roles]\nclient = [\"principal:alice\"]\n");
  Release();
  EXPECT_TRUE(Read(std::move(answer)).success);
  EXPECT_EQ(Objects(), 2u);
}

TEST_F(DraftTest, WhatIsCountedOnAGrantIsLeftToTheWriter) {
  Hold();
  Enforce(
      "[[domain.grant]]\nname = \"slow\"\nto = [\"principal:alice\"]\n"
      "operations = [\"Create\"]\nrate = \"1/60s\"\n");
  const std::uint64_t before = first_->seals();
  auto first = SubmitKey();
  auto second = SubmitKey();
  EXPECT_EQ(first_->seals(), before);
  Release();
  EXPECT_TRUE(Read(std::move(first)).success);
  EXPECT_EQ(Read(std::move(second)).reason, kmip::ResultReason::kPermissionDenied);
}

TEST_F(DraftTest, ASlowTokenHoldsUpTheWriterAlone) {
  first_->seconds = 2;
  EXPECT_TRUE(Read(SubmitKey()).success) << "a draft, as nobody knew";
  first_->seconds = 0;
  Hold();
  std::uint64_t before = first_->seals();
  auto answer = SubmitKey();
  EXPECT_EQ(first_->seals(), before);
  Release();
  EXPECT_TRUE(Read(std::move(answer)).success);
  clock_.Advance(Drafter::kPause.count() + 1);
  Hold();
  before = first_->seals();
  answer = SubmitKey();
  EXPECT_EQ(first_->seals(), before + 1) << "it may be fast again";
  Release();
  EXPECT_TRUE(Read(std::move(answer)).success);
}

TEST_F(DraftTest, AnEntryOfTheLogIsThereForEachOfThem) {
  Hold();
  auto first = SubmitKey();
  auto second = SubmitKey();
  Release();
  const Answer made[] = {Read(std::move(first)), Read(std::move(second))};
  ASSERT_TRUE(log_->FlushAndSync().has_value());
  const auto content = ReadFile(folder_ + "/audit-000001.jsonl");
  for (const Answer& answer : made) {
    const std::string entry = "\"object\":\"" + answer.id + "\"";
    EXPECT_NE(AsText(*content).find(entry), std::string_view::npos) << AsText(*content);
  }
}

}  // namespace
}  // namespace dare::engine

#include "engine/key_forge.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "audit/audit_log.h"
#include "base/clock.h"
#include "custody/sealer_ring.h"
#include "engine/answer_for_test.h"
#include "engine/kms.h"
#include "engine/messages_for_test.h"
#include "engine/prepared_work.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/message.h"
#include "kmip/payloads/create_key_pair.h"
#include "kmip/payloads/derive_key.h"
#include "kmip/payloads/re_key_key_pair.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Tag;

// A key in an HSM that stops at the next seal or open until it is told to go on, and notes what it
// sealed.
class StoppingSealer : public hsm::Sealer {
 public:
  Result<Bytes> Seal(ByteView aad, ByteView secret) override {
    {
      const std::lock_guard lock(mutex_);
      sealed_.push_back(ToBytes(secret));
    }
    WaitAt(stop_);
    return inner_->Seal(aad, secret);
  }
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override {
    WaitAt(stop_opening_);
    return inner_->Open(aad, sealed);
  }
  hsm::SealerInfo info() const override { return inner_->info(); }
  std::uint64_t seals() const override { return inner_->seals(); }

  struct Stop {
    std::promise<void> reached;
    std::promise<void> go_on;
  };
  std::shared_ptr<Stop> StopNext() {
    const std::lock_guard lock(mutex_);
    return stop_ = std::make_shared<Stop>();
  }
  std::shared_ptr<Stop> StopNextOpen() {
    const std::lock_guard lock(mutex_);
    return stop_opening_ = std::make_shared<Stop>();
  }
  std::vector<Bytes> sealed() {
    const std::lock_guard lock(mutex_);
    return sealed_;
  }

 private:
  void WaitAt(std::shared_ptr<Stop>& where) {
    std::shared_ptr<Stop> stop;
    {
      const std::lock_guard lock(mutex_);
      stop = std::exchange(where, nullptr);
    }
    if (stop == nullptr) return;
    stop->reached.set_value();
    stop->go_on.get_future().wait();
  }

  const std::unique_ptr<hsm::MemorySealerForTest> inner_ = hsm::MemorySealerForTest::Make();
  std::mutex mutex_;
  std::shared_ptr<Stop> stop_;
  std::shared_ptr<Stop> stop_opening_;
  std::vector<Bytes> sealed_;
};

class KeyForgeTest : public testing::Test {
 protected:
  KeyForgeTest() {
    folder_ = (std::filesystem::temp_directory_path() / "forge-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    Use(sealer_);
    log_ = std::move(*audit::AuditLog::Open({.folder = folder_}, clock_));
    kms_ = std::move(*Kms::Open({}, *store_, ring_, *log_, clock_));
  }
  ~KeyForgeTest() override {
    kms_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Use(const std::shared_ptr<hsm::Sealer>& sealer) {
    ring_.Put({sealer, nullptr});
    EXPECT_TRUE(ring_.SetCurrent(sealer->info().key_id).has_value());
  }

  static kmip::CreateKeyPairRequest APair(const std::string& name = "") {
    kmip::CreateKeyPairRequest request;
    kmip::AttributeSet& wanted = request.attributes.common.attributes;
    wanted.Add(
        Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                                 static_cast<std::uint32_t>(kmip::CryptographicAlgorithm::kRSA)));
    wanted.Add(Attribute::OfInteger(Tag::kCryptographicLength, 2048));
    const auto usage = [](std::int32_t mask) {
      return Attribute::OfInteger(Tag::kCryptographicUsageMask, mask);
    };
    request.attributes.private_key.attributes.Add(usage(1));
    request.attributes.public_key.attributes.Add(usage(2));
    if (!name.empty()) request.attributes.private_key.attributes.Add(Attribute::OfName(name));
    return request;
  }

  template <typename Request>
  std::future<WipingBytes> Submit(const std::vector<Request>& requests) {
    auto caller = std::make_shared<Caller>();
    caller->principal.name = "alice";
    return SubmitForTest(*kms_, MessageForTest(requests), std::move(caller));
  }
  static kmip::DeriveKeyRequest Derivation(const std::string& from, kmip::DerivationMethod method) {
    static const Bytes kSalt(16, 1);
    kmip::DeriveKeyRequest request;
    request.object_type = kmip::ObjectType::kSecretData;
    request.ids = {kmip::Identifier(from)};
    request.method = method;
    request.derivation.salt = kSalt;
    request.derivation.iterations = 10;
    request.attributes.attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 256));
    return request;
  }
  std::string KeepPassword() {
    kmip::ManagedObject password;
    password.id = "password";
    password.type = kmip::ObjectType::kSecretData;
    password.owner = "alice";
    password.material =
        *kmip::MakeSecretData(AsBytes("correct horse"), kmip::SecretDataType::kPassword);
    kmip::AttributeSet& all = password.attributes;
    all.Set(Attribute::OfText(Tag::kUniqueIdentifier, password.id));
    all.Set(Attribute::OfEnumeration(Tag::kObjectType, static_cast<std::uint32_t>(password.type)));
    all.Set(
        Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(kmip::State::kActive)));
    all.Set(Attribute::OfDate(Tag::kActivationDate, clock_.Now()));
    all.Set(Attribute::OfDate(Tag::kInitialDate, clock_.Now()));
    all.Set(
        Attribute::OfInteger(Tag::kCryptographicUsageMask,
                             static_cast<std::int32_t>(kmip::CryptographicUsageMask::kDeriveKey)));
    const auto vault = Vault::Open(*store_, ring_);
    auto transaction = kms_->store().Begin();
    EXPECT_TRUE((*vault)->Insert(**transaction, password).has_value());
    EXPECT_TRUE((*transaction)->Commit().has_value());
    return password.id;
  }
  // Of each item, Success.
  static std::vector<bool> Successes(std::future<WipingBytes> coming) {
    const WipingBytes bytes = coming.get();
    auto message = kmip::ResponseMessage::Open(bytes);
    std::vector<bool> all;
    while (!message->AtEnd()) {
      all.push_back(message->Next()->status == kmip::ResultStatus::kSuccess);
    }
    return all;
  }

  // Of the private half; empty when it was refused.
  static std::string PairIn(std::future<WipingBytes> coming) {
    const WipingBytes bytes = coming.get();
    auto message = kmip::ResponseMessage::Open(bytes);
    auto item = message->Next();
    if (item->status != kmip::ResultStatus::kSuccess) return "";
    auto members = item->payload->Members();
    return kmip::CreateKeyPairResponse::Decode(*members, kmip::kVersion2_1)->private_id;
  }
  Bytes MaterialOf(const std::string& id) {
    const auto vault = Vault::Open(*store_, ring_);
    const auto loaded = (*vault)->Load(*store_, id, Vault::Material::kOpen);
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
    return ToBytes(loaded->object.material.Reveal());
  }

  ManualClockForTest clock_;
  std::string folder_;
  const std::shared_ptr<StoppingSealer> sealer_ = std::make_shared<StoppingSealer>();
  const std::shared_ptr<StoppingSealer> other_ = std::make_shared<StoppingSealer>();
  custody::SealerRing ring_;
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<Kms> kms_;
};

TEST_F(KeyForgeTest, WhatTakesItsTimeConcernsIt) {
  EXPECT_TRUE(KeyForge::Concerns(MessageForTest<kmip::CreateKeyPairRequest>({APair()})));
  EXPECT_TRUE(KeyForge::Concerns(MessageForTest<kmip::CreateKeyPairRequest>({APair(), APair()})));
  EXPECT_TRUE(KeyForge::Concerns(MessageForTest<kmip::ReKeyKeyPairRequest>({{}})));
  EXPECT_TRUE(KeyForge::Concerns(
      MessageForTest<kmip::DeriveKeyRequest>({Derivation("id", kmip::DerivationMethod::kPBKDF2)})));
  EXPECT_FALSE(KeyForge::Concerns(
      MessageForTest<kmip::DeriveKeyRequest>({Derivation("id", kmip::DerivationMethod::kHKDF)})));
  EXPECT_FALSE(KeyForge::Concerns(MessageForTest<kmip::CreateRequest>({CreateAesForTest()})));
  EXPECT_FALSE(KeyForge::Concerns({}));
}

// Where the writer made it, or the thread that brought it, this would not come to an end.
TEST_F(KeyForgeTest, OthersDoNotWaitForAPair) {
  const auto stop = sealer_->StopNext();
  auto pair = Submit<kmip::CreateKeyPairRequest>({APair()});
  stop->reached.get_future().wait();
  auto key = Submit<kmip::CreateRequest>({CreateAesForTest()});
  EXPECT_FALSE(key.get().empty());
  EXPECT_EQ(store_->Count({}).value(), 1u);
  stop->go_on.set_value();
  EXPECT_NE(PairIn(std::move(pair)), "");
  EXPECT_EQ(store_->Count({}).value(), 3u);
}

// A rotation throws the draft away, whose records are sealed under the old key; the pair stays.
TEST_F(KeyForgeTest, APairIsGeneratedOnceThoughItsDraftDoesNotHold) {
  const auto stop = sealer_->StopNext();
  auto pair = Submit<kmip::CreateKeyPairRequest>({APair()});
  stop->reached.get_future().wait();
  const Bytes drafted = sealer_->sealed().back();
  Use(other_);
  stop->go_on.set_value();
  const std::string id = PairIn(std::move(pair));
  ASSERT_NE(id, "");
  EXPECT_FALSE(other_->sealed().empty()) << "the draft was carried out";
  EXPECT_EQ(MaterialOf(id), drafted);
}

// The same of a pair that takes the place of another: to know its kind the public key is opened.
TEST_F(KeyForgeTest, OthersDoNotWaitForAReplacedPair) {
  const std::string old = PairIn(Submit<kmip::CreateKeyPairRequest>({APair()}));
  const auto stop = sealer_->StopNextOpen();
  auto pair = Submit<kmip::ReKeyKeyPairRequest>({{.id = kmip::Identifier(old)}});
  stop->reached.get_future().wait();
  EXPECT_EQ(Successes(Submit<kmip::CreateRequest>({CreateAesForTest()})), std::vector{true});
  stop->go_on.set_value();
  const std::string next = PairIn(std::move(pair));
  ASSERT_NE(next, "");
  EXPECT_NE(MaterialOf(next), MaterialOf(old));
}

TEST_F(KeyForgeTest, OthersDoNotWaitForAPasswordThatIsStretched) {
  const std::string password = KeepPassword();
  const auto request = Derivation(password, kmip::DerivationMethod::kPBKDF2);
  const auto stop = sealer_->StopNextOpen();
  auto derived = Submit<kmip::DeriveKeyRequest>({request, request});  // in a batch, too
  stop->reached.get_future().wait();
  EXPECT_EQ(Successes(Submit<kmip::CreateRequest>({CreateAesForTest()})), std::vector{true});
  stop->go_on.set_value();
  EXPECT_EQ(Successes(std::move(derived)), (std::vector{true, true}));
}

TEST_F(KeyForgeTest, ItemsOfABatchGetPairsOfTheirOwn) {
  auto answer = Submit<kmip::CreateKeyPairRequest>({APair(), APair("named"), APair()});
  EXPECT_EQ(Successes(std::move(answer)), (std::vector{true, true, true}));
  // The private keys are sealed first, each before its public one.
  const std::vector<Bytes> sealed = sealer_->sealed();
  EXPECT_EQ(std::set<Bytes>(sealed.begin(), sealed.end()).size(), sealed.size());
  EXPECT_EQ(store_->Count({}).value(), 6u);
}

// What was prepared is taken in its order, once, and only where it is what is wanted.
TEST(PreparedWork, GivesEachPairOnce) {
  const crypto::KeySpecification p256{.family = crypto::KeyFamily::kEc, .curve = "prime256v1"};
  const crypto::KeySpecification p384{.family = crypto::KeyFamily::kEc, .curve = "secp384r1"};
  PreparedWork work;
  for (const auto& specification : {p256, p384, p256}) {
    work.AddPair(specification, *crypto::PrivateKey::Generate(specification, nullptr));
  }
  std::size_t passed = 0;
  EXPECT_TRUE(work.TakePair(p256, passed));
  EXPECT_TRUE(work.TakePair(p256, passed));
  EXPECT_FALSE(work.TakePair(p256, passed));
  EXPECT_FALSE(work.TakePair(p384, passed)) << "what was passed over is not gone back to";
}

TEST(PreparedWork, FindsWhatWasStretchedFromTheSame) {
  ASSERT_TRUE(StartSecureHeap(1 << 20).has_value());
  const Bytes salt(16, 1);
  const Bytes other_salt(16, 2);
  const Stretching one{crypto::HashAlgorithm::kSha256, AsBytes("pass"), salt, 10, 32};
  PreparedWork work;
  const auto key = SecretBytes::Random(32);
  ASSERT_TRUE(work.AddStretched(one, *key).has_value());
  EXPECT_NE(work.FindStretched(one), nullptr);
  std::vector<Stretching> others(5, one);
  others[0].hash = crypto::HashAlgorithm::kSha1;
  others[1].password = AsBytes("word");
  others[2].salt = other_salt;
  others[3].iterations = 11;
  others[4].length = 16;
  for (const Stretching& other : others) EXPECT_EQ(work.FindStretched(other), nullptr);
}

TEST_F(KeyForgeTest, NoTwoRequestsGetOnePair) {
  auto first = Submit<kmip::CreateKeyPairRequest>({APair()});
  auto second = Submit<kmip::CreateKeyPairRequest>({APair()});
  EXPECT_NE(MaterialOf(PairIn(std::move(first))), MaterialOf(PairIn(std::move(second))));
}

TEST_F(KeyForgeTest, APairWhoseNameIsTakenIsRefused) {
  EXPECT_NE(PairIn(Submit<kmip::CreateKeyPairRequest>({APair("signer")})), "");
  EXPECT_EQ(PairIn(Submit<kmip::CreateKeyPairRequest>({APair("signer")})), "");
  EXPECT_EQ(store_->Count({}).value(), 2u);
}

TEST_F(KeyForgeTest, WhatWaitsWhenTheServerStopsIsAnswered) {
  const auto stop = sealer_->StopNext();
  auto first = Submit<kmip::CreateKeyPairRequest>({APair()});
  stop->reached.get_future().wait();
  auto second = Submit<kmip::CreateKeyPairRequest>({APair()});
  auto stopping = std::async(std::launch::async, [&] { kms_.reset(); });
  stop->go_on.set_value();
  stopping.get();
  EXPECT_NE(PairIn(std::move(first)), "");
  EXPECT_NE(PairIn(std::move(second)), "");
}

}  // namespace
}  // namespace dare::engine

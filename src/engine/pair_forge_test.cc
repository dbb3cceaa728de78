#include "engine/pair_forge.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "audit/audit_log.h"
#include "base/clock.h"
#include "custody/sealer_ring.h"
#include "engine/answer_for_test.h"
#include "engine/kms.h"
#include "engine/messages_for_test.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/message.h"
#include "kmip/payloads/create_key_pair.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Tag;

// A key in an HSM that stops at the next seal until it is told to go on, and notes what it sealed.
class StoppingSealer : public hsm::Sealer {
 public:
  Result<Bytes> Seal(ByteView aad, ByteView secret) override {
    std::shared_ptr<Stop> stop;
    {
      const std::lock_guard lock(mutex_);
      sealed_.push_back(ToBytes(secret));
      stop = std::exchange(stop_, nullptr);
    }
    if (stop != nullptr) {
      stop->reached.set_value();
      stop->go_on.get_future().wait();
    }
    return inner_->Seal(aad, secret);
  }
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override {
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
  std::vector<Bytes> sealed() {
    const std::lock_guard lock(mutex_);
    return sealed_;
  }

 private:
  const std::unique_ptr<hsm::MemorySealerForTest> inner_ = hsm::MemorySealerForTest::Make();
  std::mutex mutex_;
  std::shared_ptr<Stop> stop_;
  std::vector<Bytes> sealed_;
};

class PairForgeTest : public testing::Test {
 protected:
  PairForgeTest() {
    folder_ = (std::filesystem::temp_directory_path() / "forge-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    Use(sealer_);
    log_ = std::move(*audit::AuditLog::Open({.folder = folder_}, clock_));
    kms_ = std::move(*Kms::Open({}, *store_, ring_, *log_, clock_));
  }
  ~PairForgeTest() override {
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

TEST_F(PairForgeTest, OnlyAMessageForOnePairConcernsIt) {
  EXPECT_TRUE(PairForge::Concerns(MessageForTest<kmip::CreateKeyPairRequest>({APair()})));
  EXPECT_FALSE(PairForge::Concerns(MessageForTest<kmip::CreateKeyPairRequest>({APair(), APair()})));
  EXPECT_FALSE(PairForge::Concerns(MessageForTest<kmip::CreateRequest>({CreateAesForTest()})));
  EXPECT_FALSE(PairForge::Concerns({}));
}

// Where the writer made it, or the thread that brought it, this would not come to an end.
TEST_F(PairForgeTest, OthersDoNotWaitForAPair) {
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
TEST_F(PairForgeTest, APairIsGeneratedOnceThoughItsDraftDoesNotHold) {
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

TEST_F(PairForgeTest, NoTwoRequestsGetOnePair) {
  auto first = Submit<kmip::CreateKeyPairRequest>({APair()});
  auto second = Submit<kmip::CreateKeyPairRequest>({APair()});
  EXPECT_NE(MaterialOf(PairIn(std::move(first))), MaterialOf(PairIn(std::move(second))));
}

TEST_F(PairForgeTest, APairWhoseNameIsTakenIsRefused) {
  EXPECT_NE(PairIn(Submit<kmip::CreateKeyPairRequest>({APair("signer")})), "");
  EXPECT_EQ(PairIn(Submit<kmip::CreateKeyPairRequest>({APair("signer")})), "");
  EXPECT_EQ(store_->Count({}).value(), 2u);
}

TEST_F(PairForgeTest, WhatWaitsWhenTheServerStopsIsAnswered) {
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

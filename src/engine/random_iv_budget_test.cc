#include "engine/random_iv_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/kms.h"
#include "engine/operations/objects_for_test.h"
#include "engine/vendor_attributes.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/revoke.h"
#include "store/memory_store.h"
#include "store/object_store.h"

namespace dare::engine {
namespace {

using kmip::Identifier;
using kmip::ResultReason;
using kmip::Tag;
using testing::HasSubstr;

class RandomIvs : public testing::Test {
 protected:
  static constexpr RandomIvLimits kSmall{.first_block = 4, .block = 8, .due = 20, .most = 40};

  RandomIvs() : engine_(Options()) {}
  static KmsOptions Options() {
    KmsOptions options;
    options.random_ivs = kSmall;
    return options;
  }
  kmip::EncryptRequest Request(kmip::BlockCipherMode mode = kmip::BlockCipherMode::kGCM) const {
    kmip::EncryptRequest request;
    request.id = Identifier(id_);
    request.parameters.emplace().block_cipher_mode = mode;
    request.parameters->random_iv = true;
    request.data = data_;
    return request;
  }
  // How often Encrypt succeeds until it is refused, at most `most` times.
  int Run(int most) {
    for (int done = 0; done < most; ++done) {
      last_ = engine_.Do(Request());
      if (!last_.success) return done;
    }
    return most;
  }
  std::size_t Rows() { return engine_.store().ListMeta("random-ivs/")->size(); }

  EngineForTest engine_;
  std::string id_ = engine_.AddAesKey(Bytes(32, 7));
  const Bytes data_ = Bytes(16, 1);
  ItemForTest last_;
};

TEST_F(RandomIvs, KeyIsRefusedAtItsLimitAndTellsWhatToDo) {
  EXPECT_EQ(Run(100), 36);  // 4 + 4 × 8; another block would pass 40
  EXPECT_EQ(last_.reason, ResultReason::kUsageLimitExceeded);
  EXPECT_THAT(last_.message, HasSubstr("rotate"));
  EXPECT_EQ(engine_.Do(Request(), kmip::kVersion1_4).reason, ResultReason::kPermissionDenied);
  // Whoever brings the IV knows better; CBC does not give its key away.
  const Bytes iv(12, 3);
  kmip::EncryptRequest own = Request();
  own.iv = iv;
  EXPECT_TRUE(engine_.Do(own).success);
  EXPECT_TRUE(engine_.Do(Request(kmip::BlockCipherMode::kCBC)).success);
}

TEST_F(RandomIvs, RotationIsDueLongBefore) {
  EXPECT_EQ(Run(12), 12);
  EXPECT_EQ(ReadForTest(engine_, id_).Count(ServerAttribute(kRotationDueName)), 0u);
  EXPECT_EQ(Run(2), 2);  // 20 are counted
  EXPECT_EQ(ReadForTest(engine_, id_).Count(ServerAttribute(kRotationDueName)), 1u);
  EXPECT_EQ(Run(10), 10);  // and it is said once
  EXPECT_EQ(ReadForTest(engine_, id_).Count(ServerAttribute(kRotationDueName)), 1u);
  kmip::ReKeyRequest rekey;
  rekey.id = Identifier(id_);
  id_ = engine_.Must<kmip::ReKeyResponse>(rekey).id;
  EXPECT_EQ(ReadForTest(engine_, id_).Count(ServerAttribute(kRotationDueName)), 0u);
}

TEST_F(RandomIvs, RestartWastesTheRestOfABlockAndForgetsNothing) {
  EXPECT_EQ(Run(1), 1);
  for (int i = 0; i < 8; ++i) {  // 4 + 8 × 4 = 36
    engine_.Restart();
    EXPECT_EQ(Run(1), 1) << i;
  }
  engine_.Restart();
  EXPECT_EQ(Run(100), 4);  // 40
  engine_.Restart();
  EXPECT_EQ(Run(1), 0);
}

TEST_F(RandomIvs, ManyInOneBatchOrGroupReserveOnlyWhatTheyNeed) {
  EXPECT_EQ(Run(4), 4);
  EXPECT_EQ(Rows(), 1u);
}

TEST_F(RandomIvs, GetThatWrapsIsCountedToo) {
  const std::string key = engine_.AddAesKey(Bytes(32, 9));
  const std::string kek = engine_.AddAesKey(
      Bytes(32, 8), {kmip::Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x10)});
  kmip::GetRequest get;
  get.id = Identifier(key);
  get.wrapping.emplace().encryption.emplace().id = kek;
  get.wrapping->encryption->parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kGCM;
  int done = 0;
  while (done < 100 && engine_.Do(get).success) ++done;
  EXPECT_EQ(done, 36);
}

TEST_F(RandomIvs, CountThatWasEditedIsNotBelieved) {
  EXPECT_EQ(Run(1), 1);
  const std::string row = engine_.store().ListMeta("random-ivs/")->front();
  Bytes value = *engine_.store().GetMeta(row);
  value.back() = 0;
  auto transaction = engine_.store().Begin();
  ASSERT_TRUE((*transaction)->PutMeta(row, value).has_value());
  ASSERT_TRUE((*transaction)->Commit().has_value());
  engine_.Restart();
  EXPECT_EQ(Run(1), 0);
  EXPECT_EQ(last_.reason, ResultReason::kGeneralFailure);
}

TEST_F(RandomIvs, DestroyForgetsTheCount) {
  EXPECT_EQ(Run(1), 1);
  kmip::RevokeRequest revoke;
  revoke.id = Identifier(id_);
  revoke.reason = kmip::RevocationReasonCode::kCessationOfOperation;
  ASSERT_TRUE(engine_.Do(revoke).success);
  kmip::DestroyRequest destroy;
  destroy.id = Identifier(id_);
  ASSERT_TRUE(engine_.Do(destroy).success);
  EXPECT_EQ(Rows(), 0u);
}

// Two nodes on one database count in rows of their own, and both against the sum.
TEST(RandomIvBudgetOfNodes, CountsWhatTheOthersUsed) {
  const auto store = store::MakeMemoryStore();
  const auto sealer = hsm::MemorySealerForTest::Make();
  const auto vault = Vault::Open(*store, *sealer);
  ASSERT_TRUE(vault.has_value());
  const RandomIvLimits limits{.first_block = 10, .block = 10, .due = 100, .most = 30};
  RandomIvBudget one(limits, "one", **vault);
  RandomIvBudget two(limits, "two", **vault);
  const auto reserve = [&](RandomIvBudget& budget) {
    auto transaction = store->Begin();
    auto counted = budget.Reserve(**transaction, "key");
    if (counted) {
      EXPECT_TRUE((*transaction)->Commit().has_value());
    }
    budget.Settle(*store);
    return counted;
  };
  EXPECT_EQ(*reserve(one), 10u);
  EXPECT_EQ(*reserve(two), 20u);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(one.Take("key"));
  EXPECT_FALSE(one.Take("key"));
  EXPECT_EQ(*reserve(one), 30u);
  EXPECT_TRUE(two.Take("key"));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(two.Take("key"));
  EXPECT_EQ(reserve(two).error().code, Code::kRejected);
}

// What is not committed may not be used.
TEST(RandomIvBudgetOfNodes, BlockThatWasRolledBackIsNotGiven) {
  const auto store = store::MakeMemoryStore();
  const auto sealer = hsm::MemorySealerForTest::Make();
  const auto vault = Vault::Open(*store, *sealer);
  ASSERT_TRUE(vault.has_value());
  RandomIvBudget budget({.first_block = 10, .block = 10, .due = 100, .most = 1000}, "-", **vault);
  {
    auto transaction = store->Begin();
    ASSERT_TRUE(budget.Reserve(**transaction, "key").has_value());
  }  // rolled back
  budget.Settle(*store);
  EXPECT_FALSE(budget.Take("key"));
  auto transaction = store->Begin();
  ASSERT_TRUE(budget.Reserve(**transaction, "key").has_value());
  ASSERT_TRUE((*transaction)->Commit().has_value());
  EXPECT_FALSE(budget.Take("key"));  // not before it is known to be there
  budget.Settle(*store);
  EXPECT_TRUE(budget.Take("key"));
}

}  // namespace
}  // namespace dare::engine

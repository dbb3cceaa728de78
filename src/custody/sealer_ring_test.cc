#include "custody/sealer_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "hsm/memory_sealer_for_test.h"
#include "hsm/sealed_record.h"

namespace dare::custody {
namespace {

using testing::HasSubstr;

class SealerRingTest : public testing::Test {
 protected:
  Bytes Add(std::uint64_t most = kNoLimit) {
    std::shared_ptr<hsm::Sealer> sealer = hsm::MemorySealerForTest::Make();
    const Bytes id = sealer->info().key_id;
    counts_.push_back(std::make_shared<SealCount>(id, most));
    ring_.Put({std::move(sealer), counts_.back()});
    return id;
  }
  const ByteView aad_ = AsBytes("object 1");
  const Bytes secret_ = Bytes(32, 9);
  std::vector<std::shared_ptr<SealCount>> counts_;
  SealerRing ring_;
};

TEST_F(SealerRingTest, SealsUnderTheCurrentKeyAndOpensUnderEach) {
  const Bytes first = Add(), second = Add();
  ASSERT_TRUE(ring_.SetCurrent(first).has_value());
  const Bytes old = *ring_.Seal(aad_, secret_);
  ASSERT_TRUE(ring_.SetCurrent(second).has_value());
  const Bytes fresh = *ring_.Seal(aad_, secret_);
  EXPECT_EQ(*hsm::KeyIdOf(old), first);
  EXPECT_EQ(*hsm::KeyIdOf(fresh), second);
  EXPECT_EQ(ring_.info().key_id, second);
  EXPECT_TRUE(ring_.Open(aad_, old).has_value());
  EXPECT_TRUE(ring_.Open(aad_, fresh).has_value());
  EXPECT_EQ(ring_.seals(), 2u);
}

TEST_F(SealerRingTest, RefusesKeysThatItDoesNotHave) {
  EXPECT_EQ(ring_.Seal(aad_, secret_).error().code, Code::kUnavailable);
  const Bytes first = Add(), second = Add();
  ASSERT_TRUE(ring_.SetCurrent(first).has_value());
  const Bytes old = *ring_.Seal(aad_, secret_);
  ASSERT_TRUE(ring_.SetCurrent(second).has_value());
  ring_.Remove(first);
  EXPECT_EQ(ring_.Open(aad_, old).error().code, Code::kNotFound);
  EXPECT_EQ(ring_.SetCurrent(first).error().code, Code::kNotFound);
  EXPECT_EQ(ring_.Open(aad_, Bytes(5)).error().code, Code::kDamaged);
}

TEST_F(SealerRingTest, AsksForAKeyThatItDoesNotKnow) {
  const std::shared_ptr<hsm::Sealer> late = hsm::MemorySealerForTest::Make();
  const Bytes sealed = *late->Seal(aad_, secret_);
  int asked = 0;
  ring_.SetFinder([&](const Bytes& id) -> Result<void> {
    ++asked;
    EXPECT_EQ(id, late->info().key_id);
    ring_.Put({late, nullptr});
    return {};
  });
  EXPECT_TRUE(ring_.Open(aad_, sealed).has_value());
  EXPECT_TRUE(ring_.Open(aad_, sealed).has_value());
  EXPECT_EQ(asked, 1);
}

TEST_F(SealerRingTest, RefusesToSealPastTheLimitAndStillOpens) {
  ASSERT_TRUE(ring_.SetCurrent(Add(3)).has_value());
  Bytes last;
  for (int i = 0; i < 3; ++i) last = *ring_.Seal(aad_, secret_);
  const auto refused = ring_.Seal(aad_, secret_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kExhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("dare hsm rotate"));
  EXPECT_TRUE(ring_.Open(aad_, last).has_value());
  // Another key helps.
  ASSERT_TRUE(ring_.SetCurrent(Add()).has_value());
  EXPECT_TRUE(ring_.Seal(aad_, secret_).has_value());
}

TEST_F(SealerRingTest, CountsWhatOthersSealedToo) {
  ASSERT_TRUE(ring_.SetCurrent(Add(100)).has_value());
  counts_[0]->Learn(40, 59);
  EXPECT_TRUE(ring_.Seal(aad_, secret_).has_value());
  EXPECT_FALSE(ring_.Seal(aad_, secret_).has_value());
  EXPECT_EQ(counts_[0]->total(), 100u);
}

TEST(SealCountTest, StoresABlockOnlyWhenTheOneBeforeIsUsedUp) {
  SealCount count(Bytes(8), kNoLimit);
  count.Learn(1000, 0);
  EXPECT_EQ(count.ToReserve(), 0u);
  ASSERT_TRUE(count.Take().has_value());
  EXPECT_EQ(count.ToReserve(), 1001 + kSealBlock);
  count.Reserved(1001 + kSealBlock);
  for (std::uint64_t i = 0; i < kSealBlock; ++i) ASSERT_TRUE(count.Take().has_value());
  EXPECT_EQ(count.ToReserve(), 0u);
  ASSERT_TRUE(count.Take().has_value());
  EXPECT_EQ(count.ToReserve(), 1002 + 2 * kSealBlock);
}

TEST_F(SealerRingTest, ChangesWhileItIsInUse) {
  std::vector<Bytes> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(Add());
  ASSERT_TRUE(ring_.SetCurrent(ids[0]).has_value());
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0, sealed = 0;
  std::vector<std::jthread> users;
  for (int i = 0; i < 3; ++i) {
    users.emplace_back([&] {
      while (!stop) {
        const auto record = ring_.Seal(aad_, secret_);
        if (!record || !ring_.Open(aad_, *record)) ++failures;
        ++sealed;
      }
    });
  }
  for (int i = 0; sealed < 2000; ++i) EXPECT_TRUE(ring_.SetCurrent(ids[i % 4]).has_value());
  stop = true;
  users.clear();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace dare::custody

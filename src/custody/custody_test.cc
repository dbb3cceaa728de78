#include "custody/custody.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "custody/custody_for_test.h"
#include "hsm/sealed_record.h"

namespace dare::custody {
namespace {

using testing::HasSubstr;

class CustodyTest : public testing::Test, protected CustodyBenchForTest {
 protected:
  CustodyTest() : CustodyBenchForTest({"a", "b"}) {}

  // As a group of changes with one seal in it.
  void SealInAGroup(Custody& custody, int seals = 1) {
    auto transaction = *store->Begin();
    ASSERT_TRUE(custody.BeginGroup(*transaction).has_value());
    for (int i = 0; i < seals; ++i) {
      ASSERT_TRUE(custody.ring().Seal(AsBytes("object"), Bytes(32)).has_value());
    }
    ASSERT_TRUE(custody.CountSeals(*transaction).has_value());
    ASSERT_TRUE(transaction->Commit().has_value());
    custody.GroupCommitted();
  }
};

TEST_F(CustodyTest, ANewStoreTakesTheTokensMasterKey) {
  const auto made = tokens->Create("a");
  const auto custody = Open();
  ASSERT_TRUE(custody.has_value()) << custody.error().message;
  const CustodyRecord record = (*custody)->record();
  ASSERT_EQ(record.keys.size(), 1u);
  EXPECT_EQ(record.keys[0].id, (*made)->info().key_id);
  EXPECT_EQ(record.keys[0].mechanism, 1);
  ASSERT_EQ(record.keys[0].holders.size(), 1u) << "b has no key";
  EXPECT_EQ(record.keys[0].holders[0].token, "a");
}

TEST_F(CustodyTest, AStoreFromBeforeIsTakenOverWithTheKeyThatSealedIt) {
  const auto made = tokens->Create("b");
  Put("record-key", *(*made)->Seal(AsBytes("record key"), Bytes(32, 0x5a)));
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto custody = Open();
  ASSERT_TRUE(custody.has_value()) << custody.error().message;
  EXPECT_EQ((*custody)->record().current().id, (*made)->info().key_id);
  EXPECT_EQ((*custody)->record().current().holders[0].token, "b");
}

TEST_F(CustodyTest, WhoLooksWhileSomebodyChangesTheRecordFindsNothingOlder) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto custody = *Open();
  std::atomic<bool> done = false;
  std::thread changer([&] {
    for (int i = 0; i < 2000; ++i) {
      const auto changed = custody->Change([](CustodyRecord&) -> Result<void> { return {}; });
      EXPECT_TRUE(changed.has_value()) << changed.error().message;
    }
    done = true;
  });
  while (!done) {
    const Result<void> looked = custody->Refresh();
    EXPECT_TRUE(looked.has_value()) << looked.error().message;
  }
  changer.join();
}

TEST_F(CustodyTest, EitherOfTwoHsmsOpensAStoreUnderARootKey) {
  ASSERT_TRUE(tokens->Create("a").has_value() && tokens->Create("b").has_value());
  const Bytes sealed = [&] {
    const auto custody = Open(SealingMode::kRoot);
    EXPECT_TRUE(custody.has_value()) << custody.error().message;
    EXPECT_EQ((*custody)->record().current().holders.size(), 2u);
    return *(*custody)->ring().Seal(AsBytes("object"), Bytes(32, 3));
  }();
  for (const char* lost : {"a", "b"}) {
    SCOPED_TRACE(lost);
    tokens->PullOut(lost);
    const auto custody = Open();
    ASSERT_TRUE(custody.has_value()) << custody.error().message;
    EXPECT_TRUE((*custody)->ring().Open(AsBytes("object"), sealed).has_value());
    EXPECT_EQ((*custody)->failures().size(), std::string(lost) == "a" ? 1u : 0u);
    tokens->PutBack(lost);
  }
  tokens->PullOut("a");
  tokens->PullOut("b");
  const auto custody = Open();
  ASSERT_FALSE(custody.has_value());
  EXPECT_EQ(custody.error().code, Code::kUnavailable);
  EXPECT_THAT(custody.error().message, HasSubstr("a: the token is gone; b: the token is gone"));
}

TEST_F(CustodyTest, RefusesARecordThatSomebodyEdited) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  ASSERT_TRUE(Open().has_value());
  const Bytes row = *store->GetMeta("custody");
  for (std::size_t at = 0; at < row.size(); ++at) {
    Bytes forged = row;
    forged[at] ^= 1;
    Put("custody", forged);
    EXPECT_FALSE(Open().has_value()) << "byte " << at;
  }
  // Without its check it would be believed only as the first of its store.
  Bytes bare = row;
  std::fill(bare.end() - 32, bare.end(), std::uint8_t{0});
  bare[8] = 2;
  Put("custody", bare);
  EXPECT_FALSE(Open().has_value());
}

TEST_F(CustodyTest, RefusesToGoBackToAnOlderRecord) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto custody = *Open();
  const Bytes old = *store->GetMeta("custody");
  ASSERT_TRUE(custody
                  ->Change([](CustodyRecord& record) -> Result<void> {
                    record.keys[0].label = "renamed";
                    return {};
                  })
                  .has_value());
  Put("custody", old);
  EXPECT_EQ(custody->Refresh().error().code, Code::kDamaged);
  EXPECT_FALSE(custody->BeginGroup(**store->Begin()).has_value());
  EXPECT_FALSE(custody->Change([](CustodyRecord&) -> Result<void> { return {}; }).has_value());
}

TEST_F(CustodyTest, OtherNodesFollowAChangeWithTheirNextGroup) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto one = *Open(SealingMode::kDirect, "one");
  const auto two = *Open(SealingMode::kDirect, "two");
  const auto made = *tokens->Create("a");
  const Bytes id = made->info().key_id;
  CustodyKey fresh = *DescribeMaster(*made, KeyOrigin::kToken, "a", 5);
  ASSERT_TRUE(one->Change([&](CustodyRecord& record) -> Result<void> {
                   record.keys[0].state = KeyState::kRetiring;
                   record.keys.push_back(fresh);
                   return {};
                 })
                  .has_value());
  EXPECT_EQ(one->ring().current_id(), id);
  EXPECT_NE(two->ring().current_id(), id);
  // A record of the other node's opens at once …
  const Bytes sealed = *one->ring().Seal(AsBytes("object"), Bytes(32));
  EXPECT_TRUE(two->ring().Open(AsBytes("object"), sealed).has_value());
  // … and the next group seals under the new key.
  SealInAGroup(*two);
  EXPECT_EQ(two->ring().current_id(), id);
}

TEST_F(CustodyTest, CountsSealsOfAllNodesOverRestarts) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  std::uint64_t before = 0;
  {
    const auto one = *Open(SealingMode::kDirect, "one");
    const auto two = *Open(SealingMode::kDirect, "two");
    SealInAGroup(*one, 10);
    SealInAGroup(*two, 20);
    before = two->SealsOf(two->ring().current_id()).made;
    EXPECT_GE(before, 30u);
    EXPECT_EQ(two->SealsOf(two->ring().current_id()).most, kMostGcmSeals);
  }
  const auto again = *Open(SealingMode::kDirect, "one");
  EXPECT_GE(again->SealsOf(again->ring().current_id()).made, before);
  EXPECT_LE(again->SealsOf(again->ring().current_id()).made, before + 2 * kSealBlock);
}

TEST_F(CustodyTest, ACountThatSomebodyLoweredIsRefused) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  {
    const auto custody = *Open();
    SealInAGroup(*custody);
  }
  const std::string row = store->ListMeta("seals-")->at(0);
  Bytes forged = *store->GetMeta(row);
  forged[7] = 0;
  forged[6] = 0;
  forged[5] = 0;
  Put(row, forged);
  EXPECT_EQ(Open().error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::custody

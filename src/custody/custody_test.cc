#include "custody/custody.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"
#include "custody/tokens_for_test.h"
#include "hsm/sealed_record.h"
#include "store/memory_store.h"

namespace dare::custody {
namespace {

using testing::HasSubstr;

// A store with what the vault keeps in it: the sealed record key, whose hash stands for the check.
class CustodyTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20).has_value());
    store_ = store::MakeMemoryStore();
    tokens_ = std::make_shared<TokensForTest>(std::vector<std::string>{"a", "b"});
  }

  Result<std::unique_ptr<Custody>> Open(SealingMode mode = SealingMode::kDirect,
                                        const std::string& node = "one") {
    CustodyOptions options;
    options.mode = mode;
    options.node = node;
    options.patience = std::chrono::seconds(5);
    auto custody = TRY(Custody::Open(*store_, tokens_, options, clock_));
    const auto sealed = store_->GetMeta("record-key");
    Bytes key(32, 0x5a);
    if (sealed) {
      key = ToBytes(TRY(custody->ring().Open(AsBytes("record key"), *sealed)).Reveal());
    } else {
      Put("record-key", TRY(custody->ring().Seal(AsBytes("record key"), key)));
    }
    TRY(custody->Trust([key](std::string_view purpose, ByteView content) -> Result<Bytes> {
      Bytes all = key;
      Append(all, AsBytes(purpose));
      Append(all, content);
      const auto digest = crypto::Sha256(all);
      return Bytes(digest.begin(), digest.end());
    }));
    return custody;
  }
  void Put(const std::string& key, ByteView value) {
    auto transaction = *store_->Begin();
    EXPECT_TRUE(transaction->PutMeta(key, value).has_value());
    EXPECT_TRUE(transaction->Commit().has_value());
  }
  // As a group of changes with one seal in it.
  void SealInAGroup(Custody& custody, int seals = 1) {
    auto transaction = *store_->Begin();
    ASSERT_TRUE(custody.BeginGroup(*transaction).has_value());
    for (int i = 0; i < seals; ++i) {
      ASSERT_TRUE(custody.ring().Seal(AsBytes("object"), Bytes(32)).has_value());
    }
    ASSERT_TRUE(custody.CountSeals(*transaction).has_value());
    ASSERT_TRUE(transaction->Commit().has_value());
    custody.GroupCommitted();
  }
  std::unique_ptr<store::ObjectStore> store_;
  std::shared_ptr<TokensForTest> tokens_;
  ManualClockForTest clock_;
};

TEST_F(CustodyTest, ANewStoreTakesTheTokensMasterKey) {
  const auto made = tokens_->Create("a");
  const auto custody = Open();
  ASSERT_TRUE(custody.has_value()) << custody.error().message;
  const CustodyRecord record = (*custody)->record();
  ASSERT_EQ(record.keys.size(), 1u);
  EXPECT_EQ(record.keys[0].id, made->sealer->info().key_id);
  EXPECT_EQ(record.keys[0].mechanism, 1);
  ASSERT_EQ(record.keys[0].holders.size(), 1u) << "b has no key";
  EXPECT_EQ(record.keys[0].holders[0].token, "a");
}

TEST_F(CustodyTest, AStoreFromBeforeIsTakenOverWithTheKeyThatSealedIt) {
  const auto made = tokens_->Create("b");
  Put("record-key", *made->sealer->Seal(AsBytes("record key"), Bytes(32, 0x5a)));
  ASSERT_TRUE(tokens_->Create("a").has_value());
  const auto custody = Open();
  ASSERT_TRUE(custody.has_value()) << custody.error().message;
  EXPECT_EQ((*custody)->record().current().id, made->sealer->info().key_id);
  EXPECT_EQ((*custody)->record().current().holders[0].token, "b");
}

TEST_F(CustodyTest, EitherOfTwoHsmsOpensAStoreUnderARootKey) {
  ASSERT_TRUE(tokens_->Create("a").has_value() && tokens_->Create("b").has_value());
  const Bytes sealed = [&] {
    const auto custody = Open(SealingMode::kRoot);
    EXPECT_TRUE(custody.has_value()) << custody.error().message;
    EXPECT_EQ((*custody)->record().current().holders.size(), 2u);
    return *(*custody)->ring().Seal(AsBytes("object"), Bytes(32, 3));
  }();
  for (const char* lost : {"a", "b"}) {
    SCOPED_TRACE(lost);
    tokens_->PullOut(lost);
    const auto custody = Open();
    ASSERT_TRUE(custody.has_value()) << custody.error().message;
    EXPECT_TRUE((*custody)->ring().Open(AsBytes("object"), sealed).has_value());
    EXPECT_EQ((*custody)->failures().size(), std::string(lost) == "a" ? 1u : 0u);
    tokens_->PutBack(lost);
  }
  tokens_->PullOut("a");
  tokens_->PullOut("b");
  const auto custody = Open();
  ASSERT_FALSE(custody.has_value());
  EXPECT_EQ(custody.error().code, Code::kUnavailable);
  EXPECT_THAT(custody.error().message, HasSubstr("a: the token is gone; b: the token is gone"));
}

TEST_F(CustodyTest, RefusesARecordThatSomebodyEdited) {
  ASSERT_TRUE(tokens_->Create("a").has_value());
  ASSERT_TRUE(Open().has_value());
  const Bytes row = *store_->GetMeta("custody");
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
  ASSERT_TRUE(tokens_->Create("a").has_value());
  const auto custody = *Open();
  const Bytes old = *store_->GetMeta("custody");
  ASSERT_TRUE(custody
                  ->Change([](CustodyRecord& record) -> Result<void> {
                    record.keys[0].label = "renamed";
                    return {};
                  })
                  .has_value());
  Put("custody", old);
  EXPECT_EQ(custody->Refresh().error().code, Code::kDamaged);
  EXPECT_FALSE(custody->BeginGroup(**store_->Begin()).has_value());
  EXPECT_FALSE(custody->Change([](CustodyRecord&) -> Result<void> { return {}; }).has_value());
}

TEST_F(CustodyTest, OtherNodesFollowAChangeWithTheirNextGroup) {
  ASSERT_TRUE(tokens_->Create("a").has_value());
  const auto one = *Open(SealingMode::kDirect, "one");
  const auto two = *Open(SealingMode::kDirect, "two");
  const auto made = *tokens_->Create("a");
  const Bytes id = made.sealer->info().key_id;
  CustodyKey fresh = *DescribeMaster(made, "a", 5);
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
  ASSERT_TRUE(tokens_->Create("a").has_value());
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
  ASSERT_TRUE(tokens_->Create("a").has_value());
  {
    const auto custody = *Open();
    SealInAGroup(*custody);
  }
  const std::string row = store_->ListMeta("seals-")->at(0);
  Bytes forged = *store_->GetMeta(row);
  forged[7] = 0;
  forged[6] = 0;
  forged[5] = 0;
  Put(row, forged);
  EXPECT_EQ(Open().error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::custody

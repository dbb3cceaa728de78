#include "engine/change_ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/engine_for_test.h"
#include "engine/kms.h"
#include "engine/vault.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/destroy.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Tag;

ObjectChange ChangeOf(const std::string& id) {
  ObjectChange change{.owner = "alice", .id = id, .version = kmip::kVersion1_4};
  change.changed.Add(
      Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(kmip::State::kDeactivated)));
  change.removed.push_back({.tag = Tag::kAttribute, .vendor = "x", .name = "rack"});
  return change;
}

class ChangeRingTest : public testing::Test {
 protected:
  void Put(ChangeRing& ring, const ObjectChange& change) {
    auto transaction = *store_->Begin();
    ASSERT_TRUE(ring.Put(*transaction, {&change}));
    ring.Ended(transaction->Commit());
  }
  std::optional<ChangeRing::Row> Read(std::uint64_t number) {
    return *ChangeRing::Read(*store_, *vault_, "one", number);
  }
  std::uint64_t Next() { return (*ChangeRing::Next(*store_, *vault_))["one"]; }

  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
  std::unique_ptr<Vault> vault_ = std::move(*Vault::Open(*store_, *sealer_));
  ChangeRing ring_{*vault_, "one"};
};

TEST_F(ChangeRingTest, GivesBackWhatWasPut) {
  Put(ring_, ChangeOf("k1"));
  const auto row = Read(1);
  ASSERT_TRUE(row && row->whole && row->changes.size() == 1);
  const ObjectChange &change = row->changes[0], put = ChangeOf("k1");
  EXPECT_EQ(row->number, 1u);
  EXPECT_EQ(change.owner, "alice");
  EXPECT_EQ(change.id, "k1");
  EXPECT_EQ(change.version, kmip::kVersion1_4);
  EXPECT_EQ(change.changed.all(), put.changed.all());
  EXPECT_EQ(change.removed, put.removed);
  EXPECT_FALSE(Read(2)) << "not written yet";
}

TEST_F(ChangeRingTest, HasNoDigestsInTheStore) {
  ObjectChange change = ChangeOf("k1");
  ttlv::Writer digest;
  digest.Structure(Tag::kDigest, [&] { digest.ByteString(Tag::kDigestValue, Bytes(32, 0xD1)); });
  ttlv::Reader in = ttlv::Reader::Members(digest.bytes());
  change.changed.Add(Attribute::OfItem(*in.Next()));
  Put(ring_, change);
  EXPECT_EQ(Read(1)->changes[0].changed.all(), ChangeOf("k1").changed.all());
}

TEST_F(ChangeRingTest, OfNoChangesThereIsNoRow) {
  auto transaction = *store_->Begin();
  ASSERT_TRUE(ring_.Put(*transaction, {}));
  ring_.Ended(transaction->Commit());
  EXPECT_TRUE(store_->ListMeta("changes/")->empty());
}

TEST_F(ChangeRingTest, WritesItsRowsOverInTurn) {
  for (std::uint64_t i = 1; i <= ChangeRing::kSlots + 3; ++i) {
    Put(ring_, ChangeOf("k" + std::to_string(i)));
  }
  EXPECT_EQ(store_->ListMeta("changes/")->size(), ChangeRing::kSlots);
  EXPECT_EQ(Read(4)->changes[0].id, "k4");
  EXPECT_EQ(Read(3)->number, ChangeRing::kSlots + 3) << "a later one is in its place";
  EXPECT_EQ(Next(), ChangeRing::kSlots + 4);
}

TEST_F(ChangeRingTest, CountsOnAfterARestart) {
  Put(ring_, ChangeOf("k1"));
  Put(ring_, ChangeOf("k2"));
  ChangeRing another(*vault_, "one");
  Put(another, ChangeOf("k3"));
  EXPECT_EQ(Read(3)->changes[0].id, "k3");
}

TEST_F(ChangeRingTest, LeavesNoGapWhateverBecameOfATransaction) {
  const ObjectChange change = ChangeOf("lost");
  {
    auto rolled_back = *store_->Begin();
    ASSERT_TRUE(ring_.Put(*rolled_back, {&change}));
    ring_.Ended(Error(Code::kConflict, "another node was faster"));
  }
  {
    auto unknown = *store_->Begin();
    ASSERT_TRUE(ring_.Put(*unknown, {&change}));
    ring_.Ended(Error(Code::kUnavailable, "the answer was lost; it did not happen"));
  }
  auto committed = *store_->Begin();
  ASSERT_TRUE(ring_.Put(*committed, {&change}));
  ASSERT_TRUE(committed->Commit());
  ring_.Ended(Error(Code::kUnavailable, "the answer was lost; it did happen"));
  committed.reset();
  Put(ring_, ChangeOf("next"));
  EXPECT_EQ(Read(1)->changes[0].id, "lost");
  EXPECT_EQ(Read(2)->changes[0].id, "next");
}

TEST_F(ChangeRingTest, SaysWhenThereWereMoreThanARowHolds) {
  const ObjectChange one = ChangeOf("k1");
  const std::vector<const ObjectChange*> many(1000, &one);
  auto transaction = *store_->Begin();
  ASSERT_TRUE(ring_.Put(*transaction, many));
  ring_.Ended(transaction->Commit());
  EXPECT_FALSE(Read(1)->whole);
  EXPECT_TRUE(Read(1)->changes.empty());
}

TEST_F(ChangeRingTest, RefusesRowsThatNoNodePutThere) {
  Put(ring_, ChangeOf("k1"));
  const std::string key = "changes/one/1";
  const Bytes row = *store_->GetMeta(key);
  EXPECT_TRUE(ChangeRing::CheckRow(*vault_, key, row));
  EXPECT_FALSE(ChangeRing::CheckRow(*vault_, "changes/two/1", row)) << "another node's";
  EXPECT_FALSE(ChangeRing::CheckRow(*vault_, "changes/one/2", row)) << "another slot";
  for (std::size_t i = 0; i < row.size(); ++i) {
    Bytes edited = row;
    edited[i] ^= 1;
    EXPECT_FALSE(ChangeRing::CheckRow(*vault_, key, edited)) << i;
  }
}

TEST(ChangeRingOfAKmsTest, IsWrittenWhereOtherNodesUseTheStoreAndForChangesOnly) {
  for (const bool shared : {false, true}) {
    KmsOptions options;
    options.store_is_shared = shared;
    EngineForTest engine(options);
    kmip::CreateRequest create;
    create.object_type = kmip::ObjectType::kSymmetricKey;
    const std::string id = engine.Must<kmip::CreateResponse>(create).id;
    EXPECT_TRUE(engine.store().ListMeta("changes/")->empty()) << "nobody is told of new objects";
    EXPECT_TRUE(engine.Do(kmip::DestroyRequest{.id = kmip::Identifier(id)}).success);
    EXPECT_EQ(engine.store().ListMeta("changes/")->size(), shared ? 1u : 0u);
  }
}

}  // namespace
}  // namespace dare::engine

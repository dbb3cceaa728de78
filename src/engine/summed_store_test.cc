#include "engine/summed_store.h"

#include <gtest/gtest.h>

#include "engine/vault.h"
#include "hsm/memory_sealer_for_test.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

store::ObjectRecord Record(const std::string& id, std::uint64_t version = 0) {
  return {.id = id, .row_version = version, .object_type = 2, .owner = "alice"};
}

class SummedStoreTest : public testing::Test {
 protected:
  std::unique_ptr<SummedTransaction> Begin() { return std::move(*summed_.BeginSummed()); }
  // What the sums of all nodes say, and what the rows say.
  SumNumber Expected() {
    SumNumber sum;
    const std::vector<std::string> keys = *store_->ListMeta(std::string(kSumPrefix));
    for (const std::string& key : keys) {
      sum += DecodeSum(*vault_, key, *store_->GetMeta(key))->sum;
    }
    return sum;
  }
  SumNumber OfRows() {
    SumNumber sum;
    const auto page = *store_->Scan(0, 1000);
    for (const store::PlacedRecord& placed : page.items) {
      sum += *NumberOfRow(*vault_, placed.record.id, placed.record.row_version);
    }
    const std::vector<std::string> keys = *store_->ListMeta("");
    for (const std::string& key : keys) {
      if (IsSummedFact(key)) sum += *NumberOfFact(*vault_, key, *store_->GetMeta(key));
    }
    return sum;
  }
  RunningSum Share(const std::string& node) {
    return *DecodeSum(*vault_, SumKeyOf(node), *store_->GetMeta(SumKeyOf(node)));
  }

  std::unique_ptr<hsm::MemorySealerForTest> sealer_ = hsm::MemorySealerForTest::Make();
  std::unique_ptr<store::ObjectStore> store_ = store::MakeMemoryStore();
  std::unique_ptr<Vault> vault_ = std::move(*Vault::Open(*store_, *sealer_));
  SummedStore summed_{*store_, *vault_, "one"};
};

TEST(SumNumberTest, CountsModuloTwoToTheTwoHundredAndFiftySixth) {
  Bytes all(32, 0xFF), one(32, 0);
  one[31] = 1;
  SumNumber number = SumNumber::FromBytes(all);
  number += SumNumber::FromBytes(one);
  EXPECT_EQ(number, SumNumber());
  number -= SumNumber::FromBytes(one);
  EXPECT_EQ(number.ToBytes(), all);
  Bytes carry(32, 0);
  carry[23] = 1;  // 2^64
  number = SumNumber::FromBytes(carry);
  number -= SumNumber::FromBytes(one);
  Bytes low(32, 0);
  std::fill(low.begin() + 24, low.end(), 0xFF);
  EXPECT_EQ(number.ToBytes(), low);
}

TEST_F(SummedStoreTest, TheSumFollowsEveryKindOfChange) {
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Insert(Record("a")));
  ASSERT_TRUE(transaction->Insert(Record("b")));
  ASSERT_TRUE(transaction->Restore(Record("c", 7)));
  ASSERT_TRUE(transaction->PutMeta("rules/defaults/alice", AsBytes("1")));
  ASSERT_TRUE(transaction->PutMeta("another", AsBytes("1")));
  ASSERT_TRUE(transaction->Commit());
  EXPECT_EQ(Expected(), OfRows());
  EXPECT_EQ(Share("one").records, 3);
  transaction = Begin();
  EXPECT_EQ(transaction->group(), 2u);
  ASSERT_TRUE(transaction->Update(Record("a"), 1));
  ASSERT_TRUE(transaction->Update(Record("a"), 2));
  ASSERT_TRUE(transaction->Update(Record("c"), 7));
  ASSERT_TRUE(transaction->Remove("b"));
  ASSERT_TRUE(transaction->PutMeta("rules/defaults/alice", AsBytes("22")));
  ASSERT_TRUE(transaction->Commit());
  EXPECT_EQ(Expected(), OfRows());
  EXPECT_EQ(Share("one").records, 2);
  EXPECT_EQ(Share("one").group, 2u);
  transaction = Begin();
  ASSERT_TRUE(transaction->RemoveMeta("rules/defaults/alice"));
  ASSERT_TRUE(transaction->Remove("a"));
  ASSERT_TRUE(transaction->Remove("c"));
  ASSERT_TRUE(transaction->Commit());
  EXPECT_EQ(Expected(), SumNumber());
}

TEST_F(SummedStoreTest, WhatIsRolledBackLeavesNothing) {
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Insert(Record("kept")));
  ASSERT_TRUE(transaction->Savepoint());
  ASSERT_TRUE(transaction->Insert(Record("undone")));
  ASSERT_TRUE(transaction->Savepoint());
  ASSERT_TRUE(transaction->Update(Record("kept"), 1));
  ASSERT_TRUE(transaction->Release());
  ASSERT_TRUE(transaction->RollbackTo());
  EXPECT_FALSE(transaction->Insert(Record("kept"))) << "a refusal counts nothing";
  const auto changes = transaction->TakeChanges();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].id, "kept");
  EXPECT_EQ(changes[0].row_version, 1u);
  ASSERT_TRUE(transaction->Commit());
  EXPECT_EQ(Expected(), OfRows());
  const SumNumber before = Expected();
  transaction = Begin();
  ASSERT_TRUE(transaction->Insert(Record("lost")));
  transaction.reset();
  transaction = Begin();
  EXPECT_EQ(transaction->group(), 2u);
  ASSERT_TRUE(transaction->PutMeta("another", AsBytes("1")));
  ASSERT_TRUE(transaction->Commit());
  EXPECT_EQ(Share("one").group, 1u) << "nothing that is summed has changed";
  EXPECT_EQ(Expected(), before);
}

TEST_F(SummedStoreTest, NodesAddUpWhoeverChangesWhat) {
  auto transaction = Begin();
  ASSERT_TRUE(transaction->Insert(Record("a")));
  ASSERT_TRUE(transaction->Insert(Record("b")));
  ASSERT_TRUE(transaction->Commit());
  SummedStore other(*store_, *vault_, "two");
  transaction = std::move(*other.BeginSummed());
  ASSERT_TRUE(transaction->Remove("a"));
  ASSERT_TRUE(transaction->Update(Record("b"), 1));
  ASSERT_TRUE(transaction->Commit());
  EXPECT_EQ(Share("two").records, -1);
  EXPECT_EQ(Expected(), OfRows());
  SummedStore again(*store_, *vault_, "one");
  EXPECT_EQ(*again.Group(), 1u) << "goes on where the node was";
}

TEST_F(SummedStoreTest, ARowIsGoodForItsNodeAloneAndOnlyAsItWasWritten) {
  const RunningSum sum{.group = 5, .records = -2, .sum = SumNumber::FromBytes(Bytes(32, 7))};
  const std::string key = SumKeyOf("one");
  const Bytes row = *EncodeSum(*vault_, key, sum);
  const auto back = DecodeSum(*vault_, key, row);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->group, 5u);
  EXPECT_EQ(back->records, -2);
  EXPECT_EQ(back->sum, sum.sum);
  EXPECT_NE(row, *EncodeSum(*vault_, key, sum)) << "the same sum never looks the same";
  EXPECT_FALSE(DecodeSum(*vault_, SumKeyOf("two"), row));
  for (std::size_t i = 0; i < row.size(); ++i) {
    Bytes changed = row;
    changed[i] ^= 1;
    EXPECT_EQ(DecodeSum(*vault_, key, changed).error().code, Code::kDamaged) << i;
  }
  EXPECT_FALSE(DecodeSum(*vault_, key, ByteView(row).first(row.size() - 1)));
}

}  // namespace
}  // namespace dare::engine

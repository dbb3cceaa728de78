#include "custody/key_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "custody/custody_for_test.h"
#include "custody/rotation_state.h"
#include "hsm/sealed_record.h"

namespace dare::custody {
namespace {

using testing::HasSubstr;

class KeyLifeTest : public testing::Test, protected CustodyBenchForTest {
 protected:
  KeyLifeTest() : CustodyBenchForTest({"a", "b", "c"}) {}
  // The record key of the bench is sealed under the first key for ever, so let that one open it.
  void Reseal(Custody& custody) {
    Put("record-key", *custody.ring().Seal(AsBytes("record key"), Bytes(32, 0x5a)));
  }
  static std::vector<std::string> HoldersOf(const CustodyKey& key) {
    std::vector<std::string> names;
    for (const KeyHolder& holder : key.holders) names.push_back(holder.token);
    return names;
  }
};

TEST_F(KeyLifeTest, ARotationGoesToANewMasterKeyAndRetiresTheOld) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto custody = *Open();
  const Bytes sealed = *custody->ring().Seal(AsBytes("object"), Bytes(32));
  const auto begun = BeginRotation(*custody, {});
  ASSERT_TRUE(begun.has_value()) << begun.error().message;
  EXPECT_EQ(custody->ring().current_id(), begun->to);
  EXPECT_EQ(custody->record().Find(begun->from)->state, KeyState::kRetiring);
  EXPECT_TRUE(custody->ring().Open(AsBytes("object"), sealed).has_value());
  EXPECT_EQ(BeginRotation(*custody, {}).error().code, Code::kConflict);
  EXPECT_EQ(DestroyRetired(*custody).error().code, Code::kConflict);
  Reseal(*custody);
  ASSERT_TRUE(EndRotation(*custody).has_value());
  EXPECT_EQ(custody->record().Find(begun->from)->state, KeyState::kRetired);
  // A record that a backup put back still opens, as long as the key is not destroyed.
  EXPECT_TRUE(custody->ring().Open(AsBytes("object"), sealed).has_value());
  EXPECT_THAT(*DestroyRetired(*custody), testing::ElementsAre(begun->from));
  EXPECT_THAT(*tokens->List("a"), testing::ElementsAre(begun->to));
  EXPECT_TRUE(DestroyRetired(*custody)->empty());
  const auto again = Open();
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ((*again)->ring().Open(AsBytes("object"), sealed).error().code, Code::kNotFound);
}

TEST_F(KeyLifeTest, GoesFromMasterKeyToRootKeyAndBack) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto custody = *Open();
  const Bytes master = custody->ring().current_id();
  const auto to_root = BeginRotation(*custody, {.mode = SealingMode::kRoot});
  ASSERT_TRUE(to_root.has_value()) << to_root.error().message;
  const CustodyRecord record = custody->record();
  EXPECT_EQ(record.mode, SealingMode::kRoot);
  EXPECT_THAT(HoldersOf(record.current()), testing::ElementsAre("a", "b", "c"));
  EXPECT_EQ(record.current().holders[0].wrapping_key, master);
  Reseal(*custody);
  ASSERT_TRUE(EndRotation(*custody).has_value());
  EXPECT_TRUE(DestroyRetired(*custody)->empty()) << "the old master key wraps the root key";
  // A second root key, under the same master keys.
  const auto next = BeginRotation(*custody, {});
  ASSERT_TRUE(next.has_value()) << next.error().message;
  EXPECT_EQ(custody->record().current().holders[0].wrapping_key, master);
  Reseal(*custody);
  ASSERT_TRUE(EndRotation(*custody).has_value());
  EXPECT_THAT(*DestroyRetired(*custody), testing::ElementsAre(to_root->to));
  ASSERT_TRUE(BeginRotation(*custody, {.mode = SealingMode::kDirect}).has_value());
  EXPECT_EQ(custody->record().mode, SealingMode::kDirect);
  EXPECT_EQ(custody->record().current().kind, KeyKind::kMaster);
}

TEST_F(KeyLifeTest, TokensComeAndGoButTheLastOneStays) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto custody = *Open(SealingMode::kRoot);
  EXPECT_THAT(HoldersOf(custody->record().current()), testing::ElementsAre("a"));
  EXPECT_THAT(RemoveToken(*custody, "a").error().message, HasSubstr("the only one"));
  EXPECT_EQ(AddToken(*custody, "a").error().code, Code::kAlreadyExists);
  EXPECT_EQ(AddToken(*custody, "nobody").error().code, Code::kNotFound);
  ASSERT_TRUE(AddToken(*custody, "b").has_value());
  EXPECT_THAT(HoldersOf(custody->record().current()), testing::ElementsAre("a", "b"));
  tokens->PullOut("b");
  EXPECT_THAT(RemoveToken(*custody, "a").error().message, HasSubstr("would not open"));
  tokens->PutBack("b");
  ASSERT_TRUE(RemoveToken(*custody, "a").has_value());
  EXPECT_EQ(RemoveToken(*custody, "a").error().code, Code::kNotFound);
  tokens->PullOut("a");
  EXPECT_TRUE(Open().has_value());
}

TEST_F(KeyLifeTest, AnotherTokenIsRefusedInDirectModeUnlessItHoldsTheSameKey) {
  ASSERT_TRUE(tokens->Create("a").has_value() && tokens->Create("b").has_value());
  const auto custody = *Open();
  const auto refused = AddToken(*custody, "b");
  EXPECT_EQ(refused.error().code, Code::kDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("--sealing root"));
}

TEST_F(KeyLifeTest, ARotationLeavesOutTokensThatAreAway) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto custody = *Open(SealingMode::kRoot);
  tokens->PullOut("b");
  const auto begun = BeginRotation(*custody, {});
  ASSERT_TRUE(begun.has_value());
  ASSERT_EQ(begun->left_out.size(), 1u);
  EXPECT_EQ(begun->left_out[0].token, "b");
  EXPECT_THAT(HoldersOf(custody->record().current()), testing::ElementsAre("a", "c"));
}

TEST_F(KeyLifeTest, OneProcessAtATimeDoesTheResealing) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto one = *Open(SealingMode::kDirect, "one");
  const auto two = *Open(SealingMode::kDirect, "two");
  RotationLease first(*one), second(*two);
  const auto hold = [&](RotationLease& lease) {
    const auto transaction = *store->Begin();
    const auto held = lease.Hold(*transaction);
    if (held) {
      EXPECT_TRUE(transaction->Commit().has_value());
    }
    return held;
  };
  EXPECT_TRUE(hold(first).has_value());
  EXPECT_THAT(hold(second).error().message, HasSubstr("node one"));
  clock.Advance(RotationLease::kSeconds - 1);
  EXPECT_TRUE(hold(first).has_value()) << "extends its own";
  EXPECT_FALSE(hold(second).has_value());
  clock.Advance(RotationLease::kSeconds);
  EXPECT_TRUE(hold(second).has_value()) << "the first one is gone";
  EXPECT_FALSE(hold(first).has_value());
}

TEST_F(KeyLifeTest, TheStateOfARotationComesBackAndCannotBeForged) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  const auto custody = *Open();
  EXPECT_FALSE(ReadRotation(*custody, *store)->has_value());
  const RotationState state{Bytes(8, 4), 5, "one", 2, 77, 100, 60, 0};
  {
    const auto transaction = *store->Begin();
    ASSERT_TRUE(PutRotation(*custody, *transaction, state).has_value());
    ASSERT_TRUE(transaction->Commit().has_value());
  }
  EXPECT_EQ(**ReadRotation(*custody, *store), state);
  Bytes row = *store->GetMeta("custody-rotation");
  row[20] ^= 1;
  Put("custody-rotation", row);
  EXPECT_EQ(ReadRotation(*custody, *store).error().code, Code::kDamaged);
}

TEST_F(KeyLifeTest, AKeyAtHandOpensAStoreWhoseTokensAreLost) {
  ASSERT_TRUE(tokens->Create("a").has_value());
  std::shared_ptr<hsm::Sealer> saved;
  {
    const auto custody = *Open(SealingMode::kRoot);
    saved = custody->ring().Find(custody->ring().current_id());
  }
  tokens->PullOut("a");
  ASSERT_FALSE(Open().has_value());
  const auto custody = Open(SealingMode::kDirect, "one", {saved});
  ASSERT_TRUE(custody.has_value()) << custody.error().message;
  ASSERT_TRUE(AddToken(**custody, "b").has_value());
  EXPECT_TRUE(Open().has_value()) << "b opens it now";
}

}  // namespace
}  // namespace dare::custody

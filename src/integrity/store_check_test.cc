#include "integrity/store_check.h"

#include <cerrno>

#include "integrity/whole_store_for_test.h"

namespace dare::integrity {
namespace {

class StoreCheckTest : public WholeStoreTest {
 protected:
  void SetUp() override {
    WholeStoreTest::SetUp();
    for (int i = 0; i < 1200; ++i) Create("k" + std::to_string(i));
    Change("k7");
    Remove("k8");
  }
  Result<StoreTotals> Check(bool deep = false) {
    const auto snapshot = store_->Snapshot();
    return CheckStore(**snapshot, *vault_, {.threads = 3, .deep = deep}, findings_);
  }
  // What was found, one a line: kind and object.
  std::string Found() {
    std::string text;
    for (const Finding& finding : findings_.Kept()) {
      text += std::string(KindName(finding.kind)) + " " + finding.object + "\n";
    }
    return text;
  }
};

TEST_F(StoreCheckTest, AWholeStoreHasNothingToFind) {
  const auto totals = Check(true);
  ASSERT_TRUE(totals) << totals.error().message;
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(totals->rows, 1199u);
  EXPECT_EQ(totals->expected_rows, 1199);
  EXPECT_EQ(totals->opened, 1199u);
  EXPECT_EQ(totals->entries, 1199u);
  EXPECT_EQ(totals->groups.at("sum-node-node"), 1202u);
}

TEST_F(StoreCheckTest, NamesARowThatWasAlteredInAnyOfItsFields) {
  const store::ObjectRecord good = *store_->Get("k5");
  std::vector<store::ObjectRecord> bad(7, good);
  bad[0].owner = "mallory";
  bad[1].state += 1;
  bad[2].created += 1;
  bad[3].object_type += 1;
  bad[4].attributes[10] ^= 1;
  bad[5].material.back() ^= 1;
  bad[6].index[0].key = "another";
  for (const store::ObjectRecord& record : bad) {
    Findings fresh;
    Forge(record);
    const auto snapshot = store_->Snapshot();
    ASSERT_TRUE(CheckStore(**snapshot, *vault_, {.threads = 1}, fresh));
    ASSERT_EQ(fresh.count(), 1u);
    EXPECT_EQ(fresh.Kept()[0].kind, Kind::kAltered);
    EXPECT_EQ(fresh.Kept()[0].object, "k5");
  }
}

TEST_F(StoreCheckTest, TheSumMissesARowAndARowOfAnEarlierVersion) {
  const store::ObjectRecord before = *store_->Get("k3");
  Change("k3");
  const store::ObjectRecord after = *store_->Get("k3");
  Forge(before);
  ASSERT_TRUE(Check());
  EXPECT_EQ(Found(), "sum \n") << "the old row authenticates: only the sum tells";
  Forge(after);
  Steal("k4");
  Findings fresh;
  const auto snapshot = store_->Snapshot();
  const auto totals = CheckStore(**snapshot, *vault_, {}, fresh);
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->rows, 1198u);
  EXPECT_EQ(totals->expected_rows, 1199);
  ASSERT_EQ(fresh.count(), 1u);
  EXPECT_NE(fresh.Kept()[0].what.find("1 fewer"), std::string::npos) << fresh.Kept()[0].what;
}

TEST_F(StoreCheckTest, ARowOfAnotherTimeCannotBeHiddenWithItsSum) {
  const Bytes sum = *store_->GetMeta("sum-node-node");
  Change("k3");
  PutFact("sum-node-node", sum);
  ASSERT_TRUE(Check());
  EXPECT_EQ(Found(), "sum \n") << "the row is newer than the sum";
}

TEST_F(StoreCheckTest, FactsAreLookedAt) {
  PutFact("sum-node-node", Bytes(97, 1));
  PutFact("rules/defaults/alice", Bytes(40, 1));
  PutFact("audit-tail-0", Bytes(40, 1));
  PutFact("changes/one/1", Bytes(40, 1));
  PutFact("whatever", Bytes(40, 1));
  const auto totals = Check();
  ASSERT_TRUE(totals);
  EXPECT_EQ(Found(),
            "fact-altered audit-tail-0\nfact-altered changes/one/1\n"
            "fact-altered rules/defaults/alice\nfact-altered sum-node-node\nsum \n");
  EXPECT_EQ(totals->unchecked_facts, 1u);
}

TEST_F(StoreCheckTest, AStoreWithoutABaseIsNotCalledWhole) {
  auto transaction = store_->Begin();
  ASSERT_TRUE((*transaction)->RemoveMeta(engine::kSumBaseKey));
  ASSERT_TRUE((*transaction)->Commit());
  ASSERT_TRUE(Check());
  EXPECT_EQ(Found(), "sum \n");
}

TEST_F(StoreCheckTest, DeepOpensWhatOthersOnlyAuthenticate) {
  // As if another key had sealed it: the row is right, the material is not.
  sealer_->SetUnavailable(true);
  EXPECT_TRUE(Check(false));
  EXPECT_EQ(Check(true).error().code, Code::kUnavailable) << "not a finding: nothing is known";
  EXPECT_EQ(findings_.count(), 0u);
}

TEST_F(StoreCheckTest, EndsWhenItIsTold) {
  const std::atomic<bool> cancelled = true;
  const auto snapshot = store_->Snapshot();
  const auto check = CheckStore(**snapshot, *vault_, {.cancelled = &cancelled}, findings_);
  ASSERT_FALSE(check);
  EXPECT_EQ(check.error().detail, static_cast<std::uint64_t>(EINTR));
}

class TableCheckTest : public WholeStoreTest {
 protected:
  void Put(const std::string& name, const std::string& content) {
    auto transaction = store_->Begin();
    auto table = engine::GuardedTable::Open(*vault_, **transaction, "guests");
    ASSERT_TRUE(table);
    ASSERT_TRUE(table->Put(name, AsBytes(content)));
    ASSERT_TRUE(table->Finish());
    ASSERT_TRUE((*transaction)->Commit());
  }
  void RemoveFact(const std::string& key) {
    auto transaction = store_->Begin();
    ASSERT_TRUE((*transaction)->RemoveMeta(key));
    ASSERT_TRUE((*transaction)->Commit());
  }
  // Kind and object of all that is found.
  std::vector<std::pair<Kind, std::string>> Found() {
    Findings findings;
    const auto snapshot = store_->Snapshot();
    EXPECT_TRUE(CheckStore(**snapshot, *vault_, {.threads = 1}, findings));
    std::vector<std::pair<Kind, std::string>> found;
    for (const Finding& finding : findings.Kept()) found.emplace_back(finding.kind, finding.object);
    return found;
  }
  using Pairs = std::vector<std::pair<Kind, std::string>>;
};

TEST_F(TableCheckTest, FindsWhatWasDoneToATableOfFacts) {
  Put("alice", "1");
  const Bytes before = *store_->GetMeta("table/guests/alice");
  Put("alice", "2");
  Put("bob", "1");
  EXPECT_EQ(Found(), Pairs());
  const Bytes alice = *store_->GetMeta("table/guests/alice");
  const Pairs sum = {{Kind::kSum, "table-sum/guests"}};

  PutFact("table/guests/alice", before);
  EXPECT_EQ(Found(), sum) << "a row put back authenticates, and the sum does not agree";
  PutFact("table/guests/carol", alice);
  RemoveFact("table/guests/alice");
  EXPECT_EQ(Found(), (Pairs{{Kind::kFactAltered, "table/guests/carol"}, sum[0]}))
      << "a row of another name";
  RemoveFact("table/guests/carol");
  EXPECT_EQ(Found(), sum) << "a row is missing";
  PutFact("table/guests/alice", alice);
  EXPECT_EQ(Found(), Pairs());

  Bytes forged = *store_->GetMeta("table-sum/guests");
  forged[5] ^= 1;
  PutFact("table-sum/guests", forged);
  EXPECT_EQ(Found(), (Pairs{{Kind::kFactAltered, "table-sum/guests"}, sum[0]}));
  RemoveFact("table-sum/guests");
  EXPECT_EQ(Found(), sum);
}

}  // namespace
}  // namespace dare::integrity

#include "registry/lockouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "kmip/enums.h"
#include "registry/back_ends_for_test.h"

namespace dare::registry {
namespace {

using Kind = Lockout::Kind;
using std::chrono::milliseconds;

// Two nodes on one database; the second one reads it only when a message makes it.
class LockoutsTest : public testing::Test {
 protected:
  std::unique_ptr<Lockouts> Open(std::optional<milliseconds> fresh) {
    return *Lockouts::Open(node_->store(), node_->vault, {.fresh = fresh}, clock_);
  }
  static policy::Principal Who(const std::string& name, std::vector<std::string> groups = {}) {
    policy::Principal who;
    who.name = name;
    who.groups = std::move(groups);
    return who;
  }
  // The rule of the refusal; empty: served.
  static std::string RuleFor(Lockouts& lockouts, const policy::Principal& who) {
    const auto refusal = lockouts.Refuses(who);
    return refusal ? std::string(refusal->rule) : "";
  }
  void Change(const std::function<void(store::Transaction&)>& change) {
    auto transaction = node_->store().Begin();
    change(**transaction);
    ASSERT_TRUE((*transaction)->Commit());
  }

  ManualClockForTest clock_;
  std::shared_ptr<SharedDatabaseForTest> database_ = SharedDatabaseForTest::Of("SharedMemory");
  std::shared_ptr<SharedDatabaseForTest::Node> node_ = *database_->Open(clock_, false);
  std::unique_ptr<Lockouts> here_ = Open(milliseconds(2000));
  std::unique_ptr<Lockouts> there_ = Open(milliseconds(2000));
};

TEST_F(LockoutsTest, RefusesAPrincipalAndNobodyElseUntilItIsTakenBack) {
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "");
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 7, "root", "stolen"}));
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "locked out");
  EXPECT_EQ(RuleFor(*here_, Who("alice2", {"alice"})), "");
  ASSERT_TRUE(*here_->Remove(Kind::kPrincipal, "alice"));
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "");
  EXPECT_FALSE(*here_->Remove(Kind::kPrincipal, "alice")) << "there is none any more";
}

TEST_F(LockoutsTest, NoChangeIsCommittedThatWasJudgedByAnotherList) {
  const auto holds = [&](std::uint64_t judged_by) {
    const auto transaction = node_->store().Begin();
    return here_->StillHolds(**transaction, judged_by);
  };
  const std::uint64_t before = here_->generation();
  EXPECT_TRUE(holds(before));
  ASSERT_TRUE(there_->Put({Kind::kPrincipal, "alice", 7, "root", ""}));
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "") << "it has not heard of it yet";
  const auto refused = holds(before);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "locked out") << "whoever begins again is judged anew";
  EXPECT_TRUE(holds(here_->generation()));
}

TEST_F(LockoutsTest, RefusesEverybodyOfAGroup) {
  ASSERT_TRUE(here_->Put({Kind::kGroup, "lab", 7, "root", ""}));
  EXPECT_EQ(RuleFor(*here_, Who("alice", {"office", "lab"})), "locked out");
  EXPECT_EQ(RuleFor(*here_, Who("bob", {"office"})), "");
  EXPECT_EQ(RuleFor(*here_, Who("lab")), "") << "a name is no group";
}

TEST_F(LockoutsTest, RefusesEverybodyOfADomainAsThePolicyHasItAtThatMoment) {
  std::map<std::string, std::string> domains{{"alice", "red"}, {"bob", "blue"}};
  LockoutOptions options;
  options.domain_of = [&](const std::string& who) { return domains[who]; };
  const auto lockouts = *Lockouts::Open(node_->store(), node_->vault, options, clock_);
  ASSERT_TRUE(lockouts->Put({Kind::kDomain, "red", 7, "root", ""}));
  EXPECT_EQ(RuleFor(*lockouts, Who("alice")), "locked out");
  EXPECT_EQ(RuleFor(*lockouts, Who("bob", {"red"})), "");
  EXPECT_EQ(RuleFor(*lockouts, Who("red")), "");
  domains["bob"] = "red";
  EXPECT_EQ(RuleFor(*lockouts, Who("bob")), "locked out");
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "") << "without a policy nobody is in a domain";
  ASSERT_TRUE(*lockouts->Remove(Kind::kDomain, "red"));
  EXPECT_EQ(RuleFor(*lockouts, Who("alice")), "");
}

TEST_F(LockoutsTest, RefusesEverybodyUnderTheSealAndSaysSo) {
  ASSERT_TRUE(here_->Put({Kind::kSeal, "", 7, "root", "fire"}));
  EXPECT_TRUE(here_->sealed());
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "sealed");
  EXPECT_FALSE(here_->IsLockedOut("alice", {})) << "administrators stay connected";
  ASSERT_TRUE(*here_->Remove(Kind::kSeal, ""));
  EXPECT_FALSE(here_->sealed());
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "");
}

TEST_F(LockoutsTest, LocksOutAsPolicyDeniesSoThatNothingIsLearntFromTheAnswer) {
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 7, "root", "stolen"}));
  const auto refusal = here_->Refuses(Who("alice"));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->error.code, Code::kRejected);
  EXPECT_EQ(refusal->error.detail,
            static_cast<std::uint64_t>(kmip::ResultReason::kPermissionDenied));
  EXPECT_EQ(refusal->error.message, "not allowed");
}

TEST_F(LockoutsTest, ListsWhoWhenWhyAndByWhom) {
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 7, "root", "stolen"}));
  ASSERT_TRUE(here_->Put({Kind::kGroup, "a/b", 8, "admin", ""}));
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 9, "root", "stolen again"}));
  const auto list = there_->List();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].kind, Kind::kGroup);
  EXPECT_EQ((*list)[0].name, "a/b");
  EXPECT_EQ((*list)[1].name, "alice");
  EXPECT_EQ((*list)[1].when, 9);
  EXPECT_EQ((*list)[1].by, "root");
  EXPECT_EQ((*list)[1].reason, "stolen again");
}

TEST_F(LockoutsTest, AnotherNodeJudgesByNothingOlderThanItIsToldTo) {
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 7, "root", ""}));
  EXPECT_EQ(RuleFor(*there_, Who("alice")), "") << "what it read is new enough";
  clock_.Advance(1);
  EXPECT_EQ(RuleFor(*there_, Who("alice")), "");
  clock_.Advance(1);
  EXPECT_EQ(RuleFor(*there_, Who("alice")), "locked out");
}

TEST_F(LockoutsTest, AStrictNodeAsksEachTime) {
  const auto strict = Open(milliseconds(0));
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 7, "root", ""}));
  EXPECT_EQ(RuleFor(*strict, Who("alice")), "locked out");
}

TEST_F(LockoutsTest, ALockoutIsThereAfterARestart) {
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 7, "root", ""}));
  EXPECT_EQ(RuleFor(*Open(std::nullopt), Who("alice")), "locked out");
}

TEST_F(LockoutsTest, ListsThatAreNotWhatTheNodesWroteRefuseEverybody) {
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 7, "root", ""}));
  const std::string row = "table/lockouts/principal/alice", sum = "table-sum/lockouts";
  const Bytes good = *node_->store().GetMeta(row), good_sum = *node_->store().GetMeta(sum);
  const auto opens = [&] { return Lockouts::Open(node_->store(), node_->vault, {}, clock_); };
  ASSERT_TRUE(opens());
  Bytes forged = good;
  forged.back() ^= 1;
  Change([&](store::Transaction& t) { ASSERT_TRUE(t.PutMeta(row, forged)); });
  EXPECT_EQ(opens().error().code, Code::kDamaged) << "edited";
  Change([&](store::Transaction& t) { ASSERT_TRUE(t.RemoveMeta(row)); });
  EXPECT_EQ(opens().error().code, Code::kDamaged) << "removed";
  Change([&](store::Transaction& t) {
    ASSERT_TRUE(t.PutMeta(row, good));
    ASSERT_TRUE(t.PutMeta("table/lockouts/principal/bob", good));
  });
  EXPECT_EQ(opens().error().code, Code::kDamaged) << "copied";
  // All of it taken away together with its sum: who has seen it knows better.
  Change([&](store::Transaction& t) {
    ASSERT_TRUE(t.RemoveMeta(row));
    ASSERT_TRUE(t.RemoveMeta("table/lockouts/principal/bob"));
    ASSERT_TRUE(t.RemoveMeta(sum));
  });
  clock_.Advance(2);
  EXPECT_EQ(RuleFor(*here_, Who("bob")), "not known");
  EXPECT_TRUE(here_->IsLockedOut("alice", {})) << "what was read is not forgotten";
  Change([&](store::Transaction& t) {
    ASSERT_TRUE(t.PutMeta(row, good));
    ASSERT_TRUE(t.PutMeta(sum, good_sum));
  });
  EXPECT_EQ(RuleFor(*here_, Who("bob")), "");
  EXPECT_EQ(RuleFor(*here_, Who("alice")), "locked out");
}

TEST_F(LockoutsTest, ItsGenerationChangesWithTheList) {
  const std::uint64_t before = here_->generation();
  ASSERT_TRUE(here_->Put({Kind::kPrincipal, "alice", 7, "root", ""}));
  EXPECT_NE(here_->generation(), before);
}

}  // namespace
}  // namespace dare::registry

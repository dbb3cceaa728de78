#include "registry/approvals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/guarded_facts.h"
#include "policy/document.h"
#include "registry/back_ends_for_test.h"

namespace dare::registry {
namespace {

using engine::ApprovalRequest;
using engine::GuardedAct;
using policy::Act;
using testing::HasSubstr;

constexpr char kText[] = R"(format = 1
[[domain]]
name = "default"
[[domain.approval]]
name = "two"
acts = ["Destroy", "RotateMasterKey"]
needed = 2
by = ["principal:carol", "principal:dora", "principal:erik"]
valid_for = "60s"
emergency = ["principal:oscar"]
[[domain]]
name = "red"
members = ["red-*"]
)";

policy::Principal Who(const std::string& name) { return {.name = name}; }

// One node; the policy is the same on both.
struct Desk {
  Desk(std::shared_ptr<SharedDatabaseForTest::Node> of,
       std::shared_ptr<const policy::Policy> in_force, const Clock& clock)
      : node(std::move(of)),
        approvals(node->store(), node->vault,
                  {.in_force = [in_force] { return in_force; },
                   .is_locked_out = [this](const auto& who) { return who.name == locked_out; }},
                  clock) {}
  std::string locked_out;
  std::shared_ptr<SharedDatabaseForTest::Node> node;
  Approvals approvals;
};

class ApprovalsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    database_ = SharedDatabaseForTest::Of(GetParam());
    if (!database_->ready()) GTEST_SKIP() << database_->why_not();
    here_ = NewDesk();
    there_ = NewDesk();
  }
  std::unique_ptr<Desk> NewDesk() {
    return std::make_unique<Desk>(*database_->Open(clock_, false), policy_, clock_);
  }
  GuardedAct Destroying(const std::string& subject, const std::string& requester = "alice") const {
    return {.guard = policy::GuardNamed(*policy_, "approval default/two"),
            .act = Act::kDestroy,
            .requester = requester,
            .subject = subject};
  }
  // Does the act as an engine would: true where it happens; else registers the request.
  bool Do(const GuardedAct& act, Desk& desk, bool commit = true) {
    auto transaction = *desk.node->store().Begin();
    const auto ruling = desk.approvals.Use(*transaction, act);
    if (!ruling) {
      failure_ = ruling.error().code;
      return false;
    }
    said_ = ruling->message;
    if (ruling->to_register) {
      id_ = ruling->to_register->id;
      EXPECT_TRUE(desk.approvals.Register(*transaction, *ruling->to_register));
    }
    if (commit) {
      EXPECT_TRUE(transaction->Commit());
    }
    desk.approvals.Settle(commit);
    return ruling->granted;
  }
  void Approve(const std::string& who, Desk& desk) {
    const auto spoken = desk.approvals.Speak(id_, Who(who), true);
    ASSERT_TRUE(spoken) << spoken.error().message;
  }
  void Change(const std::function<void(store::Transaction&)>& change) {
    auto transaction = *here_->node->store().Begin();
    change(*transaction);
    ASSERT_TRUE(transaction->Commit());
  }
  // All rows of the table with its sum.
  std::vector<store::MetaRow> Rows() {
    std::vector<store::MetaRow> rows;
    store::ObjectStore& store = here_->node->store();
    for (const char* prefix : {"table/approvals/", "table-sum/approvals"}) {
      const std::vector<std::string> keys = *store.ListMeta(prefix);
      for (const std::string& key : keys) {
        rows.push_back({key, *store.GetMeta(key)});
      }
    }
    return rows;
  }
  void PutBack(const std::vector<store::MetaRow>& rows) {
    Change([&](store::Transaction& transaction) {
      for (const store::MetaRow& row : rows) {
        ASSERT_TRUE(transaction.PutMeta(row.key, row.value));
      }
    });
  }

  ManualClockForTest clock_;
  const std::shared_ptr<const policy::Policy> policy_ =
      std::make_shared<policy::Policy>(*policy::ParsePolicy(kText, "p"));
  std::shared_ptr<SharedDatabaseForTest> database_;
  std::unique_ptr<Desk> here_, there_;
  std::string said_, id_;
  std::optional<Code> failure_;
};

TEST_P(ApprovalsTest, WhatOthersApprovedHappensOnceOnWhateverNode) {
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  EXPECT_THAT(said_, HasSubstr("needs approval by 2 of principal:carol"));
  const std::string first = id_;
  EXPECT_FALSE(Do(Destroying("key"), *there_));
  EXPECT_EQ(id_, first) << "one request, however often it is asked";
  Approve("carol", *there_);
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  Approve("dora", *here_);
  EXPECT_TRUE(Do(Destroying("key"), *there_));
  EXPECT_THAT(said_, HasSubstr("approved by carol, dora"));
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  EXPECT_NE(id_, first) << "a second time is another request";
}

TEST_P(ApprovalsTest, AnApprovalIsForOneRequesterActAndSubject) {
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  Approve("carol", *here_);
  Approve("dora", *here_);
  EXPECT_FALSE(Do(Destroying("other"), *here_));
  EXPECT_FALSE(Do(Destroying("key", "bob"), *here_));
  GuardedAct other_act = Destroying("key");
  other_act.act = Act::kRotateMasterKey;
  EXPECT_FALSE(Do(other_act, *here_));
  GuardedAct otherwise = Destroying("key");
  otherwise.how = "replaced by an Import";
  EXPECT_FALSE(Do(otherwise, *here_));
  GuardedAct other_text = Destroying("key");
  other_text.text = "x";
  EXPECT_FALSE(Do(other_text, *here_));
  EXPECT_TRUE(Do(Destroying("key"), *here_));
}

TEST_P(ApprovalsTest, WhatWasRolledBackIsNotUsedUp) {
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  Approve("carol", *here_);
  Approve("dora", *here_);
  EXPECT_TRUE(Do(Destroying("key"), *here_, false));
  EXPECT_TRUE(Do(Destroying("key"), *here_));
  EXPECT_FALSE(Do(Destroying("key"), *here_));
}

TEST_P(ApprovalsTest, OnlyOthersWhomTheRuleNamesSpeakAndOnce) {
  EXPECT_FALSE(Do(Destroying("key", "carol"), *here_));
  const auto code = [&](const char* who) {
    const auto spoken = there_->approvals.Speak(id_, Who(who), true);
    return spoken ? std::optional<Code>() : spoken.error().code;
  };
  EXPECT_EQ(code("carol"), Code::kDenied) << "the requester";
  EXPECT_EQ(code("bob"), Code::kDenied);
  EXPECT_EQ(code("dora"), std::nullopt);
  EXPECT_EQ(code("dora"), Code::kDenied) << "twice";
  EXPECT_EQ(code("erik"), std::nullopt);
  EXPECT_EQ(there_->approvals.Speak("0123", Who("erik"), true).error().code, Code::kNotFound);
}

TEST_P(ApprovalsTest, TheVoiceOfWhomWasLockedOutSinceDoesNotCount) {
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  Approve("carol", *here_);
  Approve("dora", *here_);
  here_->locked_out = "dora";
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  EXPECT_THAT(said_, HasSubstr("has 1"));
  Approve("erik", *here_);
  EXPECT_TRUE(Do(Destroying("key"), *here_));
}

TEST_P(ApprovalsTest, OneRefusalRefusesUntilTheRequestExpires) {
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  Approve("carol", *here_);
  ASSERT_TRUE(here_->approvals.Speak(id_, Who("dora"), false));
  EXPECT_EQ(here_->approvals.Speak(id_, Who("erik"), true).error().code, Code::kDenied);
  const std::string refused = id_;
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  EXPECT_THAT(said_, HasSubstr("was refused by dora"));
  clock_.Advance(60);
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  EXPECT_NE(id_, refused);
}

TEST_P(ApprovalsTest, RequestsExpireWithTheirApprovals) {
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  Approve("carol", *here_);
  Approve("dora", *here_);
  const std::string first = id_;
  clock_.Advance(60);
  EXPECT_TRUE(here_->approvals.Read()->requests.empty());
  EXPECT_EQ(here_->approvals.Speak(first, Who("erik"), true).error().code, Code::kNotFound);
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  EXPECT_NE(id_, first);
  EXPECT_EQ(here_->approvals.Read()->requests.size(), 1u);
}

TEST_P(ApprovalsTest, AnEmergencyPassesAloneAndStaysListedUntilSomebodyElseTakesNote) {
  EXPECT_FALSE(Do(Destroying("key", "oscar"), *here_));
  EXPECT_EQ(here_->approvals.LetPass(id_, Who("carol"), "fire").error().code, Code::kDenied);
  EXPECT_EQ(here_->approvals.LetPass(id_, Who("oscar"), "").error().code, Code::kInvalidArgument);
  EXPECT_EQ(here_->approvals.LetPass(id_, Who("oscar"), "a\nb").error().code,
            Code::kInvalidArgument);
  ASSERT_TRUE(here_->approvals.LetPass(id_, Who("oscar"), "fire"));
  EXPECT_EQ(here_->approvals.LetPass(id_, Who("oscar"), "fire").error().code, Code::kAlreadyExists);
  EXPECT_EQ(here_->approvals.Read()->bypasses.at(0).used, 0);
  clock_.Advance(5);
  EXPECT_TRUE(Do(Destroying("key", "oscar"), *there_));
  EXPECT_THAT(said_, HasSubstr("EMERGENCY"));
  const Bypass bypass = there_->approvals.Read()->bypasses.at(0);
  EXPECT_EQ(bypass.used, clock_.Now());
  EXPECT_EQ(bypass.reason, "fire");
  EXPECT_FALSE(Do(Destroying("key", "oscar"), *here_)) << "once";
  EXPECT_EQ(here_->approvals.Acknowledge(bypass.id, Who("oscar")).error().code, Code::kDenied);
  EXPECT_EQ(here_->approvals.Acknowledge(bypass.id, Who("bob")).error().code, Code::kDenied);
  const policy::Principal elsewhere{.name = "red-root", .administrator = true};
  EXPECT_EQ(here_->approvals.Acknowledge(bypass.id, elsewhere).error().code, Code::kDenied);
  EXPECT_TRUE(here_->approvals.Acknowledge(bypass.id, Who("carol")));
  EXPECT_TRUE(here_->approvals.Read()->bypasses.empty());
  EXPECT_EQ(here_->approvals.Acknowledge(bypass.id, Who("carol")).error().code, Code::kNotFound);
}

TEST_P(ApprovalsTest, WhatAdministratorsDoAsksTheSameWay) {
  EXPECT_TRUE(here_->approvals.Permit(Act::kPruneAudit, "root", "")) << "no rule names it";
  const auto first = here_->approvals.Permit(Act::kRotateMasterKey, "root", "sealing direct");
  EXPECT_EQ(first.error().code, Code::kDenied);
  id_ = there_->approvals.Read()->requests.at(0).id;
  EXPECT_THAT(first.error().message, HasSubstr(id_));
  Approve("carol", *here_);
  Approve("dora", *there_);
  EXPECT_FALSE(there_->approvals.Permit(Act::kRotateMasterKey, "root", "sealing root"));
  EXPECT_FALSE(there_->approvals.Permit(Act::kRotateMasterKey, "ruth", "sealing direct"));
  EXPECT_TRUE(there_->approvals.Permit(Act::kRotateMasterKey, "root", "sealing direct"));
  EXPECT_FALSE(here_->approvals.Permit(Act::kRotateMasterKey, "root", "sealing direct"));
}

TEST_P(ApprovalsTest, WhatPeopleReadIsOneLineOfWholeLetters) {
  GuardedAct act = Destroying("key");
  act.note = std::string(299, 'n') + "\xC3\xA4";  // an umlaut across the end
  act.how = "a\nb";
  EXPECT_FALSE(Do(act, *here_));
  const ApprovalRequest request = here_->approvals.Read()->requests.at(0);
  EXPECT_EQ(request.note, std::string(299, 'n'));
  EXPECT_EQ(request.how, "a?b");
}

TEST_P(ApprovalsTest, NobodyFillsTheList) {
  for (std::size_t i = 0; i < Approvals::kMostOfOne; ++i) {
    EXPECT_FALSE(Do(Destroying("key-" + std::to_string(i)), *here_));
  }
  EXPECT_FALSE(Do(Destroying("one-more"), *here_));
  EXPECT_THAT(said_, HasSubstr("too many"));
  EXPECT_EQ(here_->approvals.Read()->requests.size(), Approvals::kMostOfOne);
  EXPECT_FALSE(Do(Destroying("key", "bob"), *here_));
  EXPECT_THAT(said_, HasSubstr("waits for it")) << "others ask all the same";
  clock_.Advance(60);
  EXPECT_FALSE(Do(Destroying("one-more"), *here_));
  EXPECT_EQ(here_->approvals.Read()->requests.size(), 1u);
}

TEST_P(ApprovalsTest, RowsThatWereEditedRemovedOrAddedCloseEverything) {
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  Approve("carol", *here_);
  const std::vector<store::MetaRow> good = Rows();
  ASSERT_EQ(good.size(), 2u);
  const auto is_closed = [&](const char* how) {
    SCOPED_TRACE(how);
    failure_.reset();
    EXPECT_FALSE(Do(Destroying("key"), *there_));
    EXPECT_EQ(failure_, Code::kDamaged);
    EXPECT_EQ(there_->approvals.Read().error().code, Code::kDamaged);
    EXPECT_EQ(there_->approvals.Speak(id_, Who("dora"), true).error().code, Code::kDamaged);
    EXPECT_EQ(there_->approvals.Permit(Act::kRotateMasterKey, "root", "").error().code,
              Code::kDamaged);
    EXPECT_TRUE(there_->approvals.Permit(Act::kPruneAudit, "root", "")) << "which needs none";
  };
  for (const store::MetaRow& row : good) {
    store::MetaRow edited = row;
    edited.value.back() ^= 1;
    PutBack({edited});
    is_closed("edited");
    PutBack(good);
  }
  Change(
      [&](store::Transaction& transaction) { ASSERT_TRUE(transaction.RemoveMeta(good[0].key)); });
  is_closed("removed");
  PutBack({good[0], {"table/approvals/request/00", good[0].value}});
  is_closed("copied");
  Change([](store::Transaction& transaction) {
    ASSERT_TRUE(transaction.RemoveMeta("table/approvals/request/00"));
  });
  Approve("dora", *there_);
  EXPECT_TRUE(Do(Destroying("key"), *there_)) << "as the servers left it";
}

TEST_P(ApprovalsTest, AnApprovalThatWasUsedUpAndPutBackIsNoticed) {
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  Approve("carol", *here_);
  Approve("dora", *here_);
  const std::vector<store::MetaRow> before = Rows();
  EXPECT_TRUE(Do(Destroying("key"), *here_));
  PutBack({before[0]});  // without the sum
  EXPECT_FALSE(Do(Destroying("key"), *here_));
  EXPECT_EQ(failure_, Code::kDamaged);
  PutBack(before);
  failure_.reset();
  EXPECT_FALSE(Do(Destroying("key"), *here_)) << "who knows of a later one is not deceived";
  EXPECT_EQ(failure_, Code::kDamaged);
}

INSTANTIATE_TEST_SUITE_P(Stores, ApprovalsTest, testing::Values("SharedMemory", "SharedPostgres"),
                         [](const auto& back_end) { return std::string(back_end.param); });

}  // namespace
}  // namespace dare::registry

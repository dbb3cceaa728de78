#include "policy/approval.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policy/document.h"

namespace dare::policy {
namespace {

constexpr char kText[] = R"(format = 1

[[domain]]
name = "default"
[domain.roles]
custodian = ["principal:carol", "principal:cecil"]
auditor = ["principal:audit"]
[[domain.approval]]
name = "service"
acts = ["RotateMasterKey", "ApplyPolicy", "PruneAudit"]
needed = 1
by = ["role:custodian", "principal:audit"]
valid_for = "2h"
[[domain.approval]]
name = "payroll"
acts = ["Destroy"]
objects = ["pay-*"]
object_groups = ["payroll"]
needed = 2
by = ["role:custodian", "principal:dora", "principal:red-app"]
emergency = ["principal:oscar"]
[[domain.approval]]
name = "rest"
acts = ["Destroy", "Get", "Export"]
needed = 1
by = ["principal:dora", "principal:erik"]

[[domain]]
name = "red"
members = ["red-*"]
[domain.roles]
custodian = ["principal:red-keeper"]
)";

class ApprovalTest : public testing::Test {
 protected:
  ApprovalTest() : policy_(*ParsePolicy(kText, "p")) {}
  Guard Rule(const std::string& name) const {
    return GuardNamed(policy_, "approval default/" + name);
  }
  static Principal Who(const std::string& name) { return {.name = name}; }
  static Petition By(const std::string& requester) {
    return {.requester = requester, .expires = 100};
  }
  static Voice Yes(const std::string& name) { return {.who = {.name = name}, .approves = true}; }
  static Voice No(const std::string& name) { return {.who = {.name = name}, .approves = false}; }

  const Policy policy_;
};

TEST_F(ApprovalTest, TheFirstRuleOfTheObjectsDomainThatFitsIsTheOneThatHolds) {
  const ObjectFacts pay{.owner = "alice", .id = "1", .names = {"pay-1"}};
  const ObjectFacts grouped{.owner = "alice", .id = "2", .groups = {"payroll"}};
  const ObjectFacts other{.owner = "alice", .id = "3"};
  const ObjectFacts red{.owner = "red-app", .id = "4", .names = {"pay-1"}};
  EXPECT_EQ(GuardOf(policy_, Act::kDestroy, pay).rule->name, "payroll");
  EXPECT_EQ(GuardOf(policy_, Act::kDestroy, grouped).rule->name, "payroll");
  EXPECT_EQ(GuardOf(policy_, Act::kDestroy, other).rule->name, "rest");
  EXPECT_EQ(GuardOf(policy_, Act::kGet, pay).rule->name, "rest");
  EXPECT_FALSE(GuardOf(policy_, Act::kDestroy, red)) << "another domain's rules";
  EXPECT_EQ(GuardOf(policy_, Act::kApplyPolicy).rule->name, "service");
  EXPECT_FALSE(GuardNamed(policy_, "approval red/rest"));
}

TEST_F(ApprovalTest, OneVoiceForEachPersonAndNoneForWhoAsks) {
  Petition petition = By("carol");
  petition.voices = {Yes("carol"), Yes("dora"), Yes("dora")};
  EXPECT_EQ(CountApprovals(Rule("payroll"), petition), 1u);
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 0), Standing::kWaiting);
  petition.voices.push_back(Yes("cecil"));
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 0), Standing::kApproved);
}

TEST_F(ApprovalTest, OnlyThoseCountWhomTheRuleNames) {
  Petition petition = By("alice");
  petition.voices = {Yes("bob"), Yes("erik"), Yes("red-app"), Yes("")};
  EXPECT_EQ(CountApprovals(Rule("payroll"), petition), 0u);
  EXPECT_FALSE(HasVoice(Rule("payroll"), Who("red-app"))) << "of another domain";
  EXPECT_FALSE(HasVoice(Rule("service"), Who("audit"))) << "an auditor changes nothing";
  EXPECT_FALSE(HasVoice(Rule("service"), {.name = "audit", .administrator = true}));
  EXPECT_FALSE(HasVoice({}, Who("carol")));
}

TEST_F(ApprovalTest, OneRefusalRefusesWhateverOthersSay) {
  Petition petition = By("alice");
  petition.voices = {Yes("carol"), Yes("dora"), No("cecil")};
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 0), Standing::kRefused);
  petition.voices = {Yes("carol"), Yes("dora"), No("bob"), No("alice"), No("dora")};
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 0), Standing::kApproved)
      << "nor does a refusal of whom nobody asked";
}

TEST_F(ApprovalTest, NothingOutlivesItsTime) {
  Petition petition = By("alice");
  petition.voices = {Yes("carol"), Yes("dora")};
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 99), Standing::kApproved);
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 100), Standing::kExpired);
  petition.bypassed_by = Who("oscar");
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 100), Standing::kExpired);
}

TEST_F(ApprovalTest, ABypassIsForWhomTheRuleNamesAndWinsOverARefusal) {
  Petition petition = By("oscar");
  petition.voices = {No("carol")};
  petition.bypassed_by = Who("dora");
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 0), Standing::kRefused);
  petition.bypassed_by = Who("oscar");
  EXPECT_EQ(StandingOf(Rule("payroll"), petition, 0), Standing::kApproved);
  EXPECT_EQ(StandingOf(Rule("rest"), petition, 0), Standing::kWaiting) << "under another rule";
}

TEST_F(ApprovalTest, TellsWhySomebodyCannotSpeak) {
  Petition petition = By("carol");
  const Guard rule = Rule("payroll");
  EXPECT_EQ(WhyNoVoice(rule, petition, Who("cecil"), 0), "");
  EXPECT_NE(WhyNoVoice(rule, petition, Who("carol"), 0), "");
  EXPECT_NE(WhyNoVoice(rule, petition, Who("erik"), 0), "");
  EXPECT_NE(WhyNoVoice(rule, petition, Who("cecil"), 100), "");
  EXPECT_NE(WhyNoVoice({}, petition, Who("cecil"), 0), "");
  petition.voices = {Yes("dora")};
  EXPECT_NE(WhyNoVoice(rule, petition, Who("dora"), 0), "");
  petition.voices = {No("dora")};
  EXPECT_NE(WhyNoVoice(rule, petition, Who("cecil"), 0), "");
}

TEST_F(ApprovalTest, UnderAClosedPolicyNobodyHasAVoice) {
  const Policy closed = Policy::Closed();
  const Guard rule{&closed, &closed.domains().front(), Rule("rest").rule};
  EXPECT_FALSE(HasVoice(rule, Who("dora")));
}

TEST_F(ApprovalTest, SaysWhatItDemands) {
  EXPECT_EQ(Demand(*Rule("service").rule), "1 of role:custodian, principal:audit");
}

// Texts: what follows is put behind the beginning of a policy.
std::string MessageOf(const std::string& rest,
                      const std::vector<std::string>& administrators = {"root"}) {
  const std::string text =
      "format = 1\n[[domain]]\nname = \"default\"\n[domain.roles]\n"
      "custodian = [\"principal:carol\", \"principal:cecil\"]\n"
      "auditor = [\"principal:audit\"]\n[[domain.approval]]\nname = \"r\"\n" +
      rest;
  const Result<Policy> policy = ParsePolicy(text, "p");
  if (!policy) return policy.error().message;
  const Result<void> checked = CheckPolicy(*policy, administrators, "p");
  return checked ? "good" : checked.error().message;
}

TEST(ApprovalText, IsPrintedAsItIsRead) {
  const Policy policy = *ParsePolicy(kText, "p");
  const std::string printed = PrintPolicy(policy);
  const Result<Policy> again = ParsePolicy(printed, "printed");
  ASSERT_TRUE(again) << again.error().message << "\n" << printed;
  EXPECT_TRUE(policy == *again);
  const auto& rules = again->domains().front().approvals;
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].seconds, 7200);
  EXPECT_EQ(rules[1].seconds, kUsualApprovalSeconds);
}

TEST(ApprovalText, RefusesWhatIsIncompleteOrUnknown) {
  const std::string by = "by = [\"role:custodian\"]\n";
  EXPECT_EQ(MessageOf("acts = [\"Destroy\"]\nneeded = 2\n" + by), "good");
  for (const std::string& text : {
           "needed = 1\n" + by,
           "acts = [\"Destroy\"]\n" + by,
           std::string("acts = [\"Destroy\"]\nneeded = 1\n"),
           "acts = [\"Create\"]\nneeded = 1\n" + by,
           "acts = [\"Destroy\"]\nneeded = 0\n" + by,
           "acts = [\"Destroy\"]\nneeded = 17\n" + by,
           "acts = [\"Destroy\"]\nneeded = 1\nvalid_for = \"1w\"\n" + by,
           "acts = [\"Destroy\"]\nneeded = 1\nvalid_for = \"91d\"\n" + by,
           "acts = [\"Destroy\"]\nneeded = 1\nobjects = []\n" + by,
           "acts = [\"Destroy\"]\nneeded = 1\nemergency = []\n" + by,
           "acts = [\"ApplyPolicy\"]\nneeded = 1\nobjects = [\"x\"]\n" + by,
           "acts = [\"Destroy\"]\nneeded = 1\nunknown = 1\n" + by,
           "acts = [\"Destroy\"]\nneeded = 1\n" + by + "[[domain.approval]]\nname = \"r\"\n" +
               "acts = [\"Get\"]\nneeded = 1\n" + by,
       }) {
    EXPECT_NE(MessageOf(text), "good") << text;
  }
}

TEST(ApprovalText, RefusesWhatWouldLockEverybodyOut) {
  const auto rule = [](const std::string& act, int needed, const std::string& by) {
    return "acts = [\"" + act + "\"]\nneeded = " + std::to_string(needed) + "\nby = [" + by + "]\n";
  };
  EXPECT_EQ(MessageOf(rule("Destroy", 2, R"("principal:a", "principal:b")")), "good");
  EXPECT_NE(MessageOf(rule("Destroy", 3, R"("principal:a", "principal:b", "principal:a")")),
            "good");
  EXPECT_NE(MessageOf(rule("Destroy", 3, R"("role:custodian")")), "good");
  EXPECT_EQ(MessageOf(rule("Destroy", 3, R"("role:custodian", "principal:web-*")")), "good")
      << "who knows how many there are";
  // An auditor approves nothing, under whatever name.
  EXPECT_NE(MessageOf(rule("Destroy", 1, R"("role:auditor")")), "good");
  EXPECT_NE(MessageOf(rule("Destroy", 1, R"("principal:audit")")), "good");
  EXPECT_NE(MessageOf(rule("Destroy", 1, R"("role:administrator")"), {}), "good");
  // Who asks has no voice of their own.
  EXPECT_NE(MessageOf(rule("ApplyPolicy", 1, R"("principal:root")")), "good");
  EXPECT_NE(MessageOf(rule("ApplyPolicy", 1, R"("role:administrator")")), "good");
  EXPECT_EQ(MessageOf(rule("ApplyPolicy", 1, R"("role:administrator")"), {"root", "ruth"}), "good");
  EXPECT_EQ(MessageOf(rule("ApplyPolicy", 2, R"("role:custodian", "principal:root")")), "good");
  EXPECT_NE(MessageOf(rule("ApplyPolicy", 3, R"("role:custodian", "principal:root")")), "good");
  EXPECT_NE(MessageOf(rule("Destroy", 1, R"("group:nobody")")), "good");
}

}  // namespace
}  // namespace dare::policy

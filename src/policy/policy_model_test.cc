#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "kmip/names.h"
#include "policy/access.h"
#include "policy/document.h"
#include "policy/policy_model_for_test.h"

// Decide against a model of docs/policy.md.
namespace dare::policy {
namespace {

// Everything that is drawn.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  bool OneIn(int n) { return Below(n) == 0; }
  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  template <typename Range>
  std::string Of(const Range& range) {
    auto at = range.begin();
    std::advance(at, Below(static_cast<int>(range.size())));
    return *at;
  }

 private:
  std::mt19937 random_;
};

const std::vector<std::string> kPeople = {"alice", "adam", "bob", "bert", "carol", "root"};
const std::vector<std::string> kIds = {"k1", "k2", "x1"};
const std::vector<std::string> kRoleNames = {"administrator", "custodian", "auditor", "operator",
                                             "client"};

RawGrant DrawGrant(Dice& dice) {
  static const std::vector<std::string> whom = {"principal:alice", "principal:a*",  "principal:*",
                                                "principal:bob",   "group:g1",      "group:g2",
                                                "role:client",     "role:custodian"};
  static const std::vector<std::string> words = {"read", "use",     "manage",  "make", "all",
                                                 "Get",  "Encrypt", "Destroy", "ReKey"};
  RawGrant grant;
  grant.deny = dice.OneIn(4);
  grant.to = dice.Of(whom);
  grant.operation = dice.OneIn(4) ? dice.Of(AllOperations()) : dice.Of(words);
  if (dice.OneIn(3)) grant.object = dice.OneIn(2) ? "k*" : dice.Of(kIds);
  if (dice.OneIn(4)) grant.group = "orders";
  grant.from_inside = dice.OneIn(8);
  grant.on_weekends = dice.OneIn(8);
  grant.in_the_morning = dice.OneIn(8);
  grant.until_noon = dice.OneIn(8);
  if (!grant.deny && dice.OneIn(4)) grant.rate = 1 + dice.Below(3);
  if (!grant.deny && dice.OneIn(4)) grant.uses = 1 + dice.Below(3);
  return grant;
}

std::vector<RawDomain> DrawDomains(Dice& dice) {
  std::vector<RawDomain> domains = {{.name = "default"}, {.name = "a"}, {.name = "b"}};
  domains[1].member_prefix = "a*";
  for (const std::string& person : kPeople) {
    const int domain = dice.Below(4);
    if (domain == 1 || domain == 2)
      domains[static_cast<std::size_t>(domain)].members.insert(person);
  }
  for (RawDomain& domain : domains) {
    domain.groups["g1"] = {dice.Of(kPeople)};
    domain.groups["g2"] = {"b*"};
    for (const std::string& role : kRoleNames) {
      while (dice.OneIn(5)) {
        domain.roles[role].insert(
            dice.OneIn(4)   ? "group:" + std::string(dice.OneIn(2) ? "g1" : "g2")
            : dice.OneIn(4) ? "principal:" + std::string(1, "abcr"[dice.Below(4)]) + "*"
                            : "principal:" + dice.Of(kPeople));
      }
    }
    if (dice.OneIn(2)) domain.roles["client"].insert("principal:*");
    for (int i = dice.Below(12); i > 0; --i) domain.grants.push_back(DrawGrant(dice));
  }
  return domains;
}

Question Draw(Dice& dice, std::size_t grants) {
  Question q;
  q.who.name = dice.OneIn(20) ? "" : dice.Of(kPeople);
  q.who.administrator = dice.OneIn(20);
  if (dice.OneIn(4)) q.who.groups = {dice.OneIn(2) ? "g1" : "g2"};
  q.operation = dice.Of(KnownOperations());
  q.with_object = !dice.OneIn(4);
  q.owner = dice.OneIn(3) ? q.who.name : dice.Of(kPeople);
  q.id = dice.Of(kIds);
  q.name = dice.OneIn(2) ? "key of " + q.owner : dice.Of(kIds);
  if (dice.OneIn(3)) q.group = "orders";
  q.inside = dice.OneIn(2);
  q.weekend = dice.OneIn(2);
  q.morning = dice.OneIn(2);
  q.before_noon = q.morning || dice.OneIn(2);
  for (std::size_t i = 0; i < grants; ++i) {
    if (!dice.OneIn(2)) continue;
    q.counts[i] = {.uses = static_cast<std::uint64_t>(dice.Below(4)),
                   .recent = static_cast<std::uint64_t>(dice.Below(4))};
  }
  return q;
}

Decision Ask(const Policy& policy, const Question& q) {
  const auto operation =
      static_cast<kmip::Operation>(*kmip::EnumByName(kmip::Tag::kOperation, q.operation));
  const Circumstances circumstances{
      .address = q.inside ? "10.1.2.3" : "192.0.2.1", .now = MomentOf(q), .counts = &q.counts};
  if (!q.with_object) return Decide(policy, q.who, operation, circumstances);
  ObjectFacts facts{.owner = q.owner, .id = q.id};
  facts.names = {q.name};
  if (!q.group.empty()) facts.groups = {q.group};
  return Decide(policy, q.who, operation, facts, circumstances);
}

TEST(DecideByPolicy, AgreesWithTheModelInAHundredThousandCases) {
  constexpr unsigned kSeed = 20261129;
  Dice dice(kSeed);
  int allowed = 0, denied_by_grant = 0, allowed_by_grant = 0, hidden = 0;
  for (int round = 0; round < 500; ++round) {
    const std::vector<RawDomain> domains = DrawDomains(dice);
    const std::string text = TextOf(domains);
    const Result<Policy> policy = ParsePolicy(text, "policy");
    ASSERT_TRUE(policy) << policy.error().message << "\n" << text;
    const Result<Policy> printed = ParsePolicy(PrintPolicy(*policy), "printed");
    ASSERT_TRUE(printed && *printed == *policy) << text << "\n" << PrintPolicy(*policy);
    const PolicyModel model(domains);
    std::size_t grants = 0;
    for (const RawDomain& domain : domains) grants += domain.grants.size();
    for (int i = 0; i < 200; ++i) {
      const Question q = Draw(dice, grants);
      const Decision decision = Ask(*policy, q);
      ASSERT_EQ(decision.allowed, model.Allows(q, q.operation))
          << "seed " << kSeed << " round " << round << " question " << i << ": " << q.who.name
          << (q.who.administrator ? " (administrator) " : " ") << q.operation
          << (q.with_object ? " on " + q.id + " of " + q.owner : "") << ": " << decision.rule << " "
          << decision.nearest << " " << decision.missing << "\n"
          << text;
      if (q.with_object) {
        ASSERT_EQ(decision.hidden, model.Hides(q)) << "round " << round << " question " << i;
      }
      ASSERT_FALSE(decision.rule.empty());
      allowed += decision.allowed ? 1 : 0;
      hidden += decision.hidden ? 1 : 0;
      if (decision.grant >= 0) ++(decision.allowed ? allowed_by_grant : denied_by_grant);
    }
  }
  // Every way was taken often, so that agreement means something.
  EXPECT_GT(allowed, 10'000);
  EXPECT_LT(allowed, 90'000);
  EXPECT_GT(allowed_by_grant, 1'000);
  EXPECT_GT(denied_by_grant, 1'000);
  EXPECT_GT(hidden, 10'000);
}

}  // namespace
}  // namespace dare::policy

#include "policy/access.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/document.h"

namespace dare::policy {
namespace {

using kmip::Operation;

constexpr std::int64_t kSundayNoon = 1795953600;  // 29 November 2026, 12:00 UTC

Policy Read(const std::string& text) {
  Result<Policy> policy = ParsePolicy(text, "policy");
  EXPECT_TRUE(policy) << policy.error().message;
  if (!policy) return Policy::Closed();
  EXPECT_TRUE(CheckPolicy(*policy, {"root"}, "policy"));
  return *std::move(policy);
}

constexpr char kTenants[] = R"(format = 1
[[domain]]
name = "default"
[domain.roles]
client = ["principal:*"]
[[domain]]
name = "red"
members = ["red-*"]
[[domain.group]]
name = "readers"
members = ["red-reader"]
[domain.roles]
administrator = ["principal:red-admin"]
custodian = ["principal:red-custodian"]
auditor = ["principal:red-auditor"]
operator = ["principal:red-operator"]
client = ["principal:red-app", "principal:red-app2"]
[[domain.grant]]
name = "shared"
to = ["group:readers"]
operations = ["Decrypt"]
objects = ["shared-*"]
addresses = ["10.0.0.0/8"]
days = ["sun"]
hours = "11:00-13:00"
until = "2026-12-01T00:00:00Z"
rate = "2/60s"
uses = 5
[[domain.grant]]
name = "no-export"
effect = "deny"
to = ["principal:*"]
operations = ["Export"]
[[domain]]
name = "blue"
members = ["blue-*"]
[domain.roles]
administrator = ["principal:blue-admin"]
client = ["principal:blue-app"]
)";

struct Asked {
  std::string address = "10.0.0.1";
  std::int64_t now = kSundayNoon;
  GrantCounts counts = {};
};

Decision Ask(const Policy& policy, const std::string& who, Operation operation,
             const std::string& owner, const std::string& name = "key", const Asked& asked = {}) {
  ObjectFacts facts{.owner = owner, .id = "id"};
  facts.names = {name};
  return Decide(policy, {.name = who, .administrator = who == "root"}, operation, facts,
                {.address = asked.address, .now = asked.now, .counts = &asked.counts});
}

TEST(DecideByPolicy, KeepsDomainsApartWhateverTheRoles) {
  const Policy policy = Read(kTenants);
  for (const char* who : {"root", "blue-admin", "blue-app", "somebody"}) {
    for (std::uint32_t code = 0; code <= 0x60; ++code) {
      const Decision decision = Ask(policy, who, Operation{code}, "red-app");
      EXPECT_FALSE(decision.allowed) << who << " " << code;
      EXPECT_TRUE(decision.hidden) << who << " " << code;
    }
  }
  EXPECT_EQ(Ask(policy, "root", Operation::kLocate, "red-app").rule, "another domain");
  EXPECT_TRUE(Ask(policy, "root", Operation::kLocate, "somebody").allowed);
}

// Operation × role × ownership, as docs/policy.md has it: F find, R read, W withdraw, M manage,
// U use.
TEST(DecideByPolicy, GivesEachRoleWhatTheTableSays) {
  const Policy policy = Read(kTenants);
  struct Row {
    const char* who;
    const char* own;
    const char* others;
  };
  const std::vector<Row> rows = {{"red-admin", "FRW", "FRW"}, {"red-custodian", "FRWM", "FRWM"},
                                 {"red-auditor", "FR", "FR"}, {"red-operator", "", ""},
                                 {"red-app", "FRWMU", ""},    {"red-nobody", "", ""},
                                 {"red-reader", "", ""}};
  const std::vector<std::pair<char, std::vector<Operation>>> kinds = {
      {'F', {Operation::kLocate}},
      {'R', {Operation::kGetAttributes, Operation::kGetAttributeList}},
      {'W', {Operation::kRevoke, Operation::kDestroy, Operation::kArchive, Operation::kRecover}},
      {'M', {Operation::kActivate, Operation::kReKey, Operation::kModifyAttribute}},
      {'U',
       {Operation::kGet, Operation::kEncrypt, Operation::kDecrypt, Operation::kSign,
        Operation::kDeriveKey, Operation::kCertify, Operation::kObtainLease}}};
  for (const Row& row : rows) {
    for (const bool own : {true, false}) {
      const std::string given = own ? row.own : row.others;
      for (const auto& [letter, operations] : kinds) {
        for (const Operation operation : operations) {
          const Decision decision = Ask(policy, row.who, operation, own ? row.who : "red-app2");
          EXPECT_EQ(decision.allowed, given.find(letter) != std::string::npos)
              << row.who << (own ? " own " : " other ") << letter << ": " << decision.rule;
          EXPECT_EQ(decision.hidden, given.empty()) << row.who;
        }
      }
    }
  }
}

TEST(DecideByPolicy, GivesWithoutAnObjectWhatTheRoleMakes) {
  const Policy policy = Read(kTenants);
  const auto may = [&](const char* who, Operation operation) {
    return Decide(policy, {.name = who}, operation, Circumstances{.now = kSundayNoon}).allowed;
  };
  for (const char* who : {"red-admin", "red-auditor", "red-operator", "red-nobody"}) {
    EXPECT_TRUE(may(who, Operation::kQuery)) << who;
    EXPECT_TRUE(may(who, Operation::kLocate)) << who;
    for (const Operation operation : {Operation::kCreate, Operation::kRegister, Operation::kHash,
                                      Operation::kSetDefaults, Operation::kCertify}) {
      EXPECT_FALSE(may(who, operation)) << who << " " << static_cast<std::uint32_t>(operation);
    }
  }
  EXPECT_TRUE(may("red-custodian", Operation::kCreate));
  EXPECT_FALSE(may("red-custodian", Operation::kRegister));
  EXPECT_TRUE(may("red-app", Operation::kRegister));
  EXPECT_TRUE(may("red-app", Operation::kCertify));
  EXPECT_FALSE(may("red-app", Operation::kGet));
  EXPECT_FALSE(may("", Operation::kQuery));
}

TEST(DecideByPolicy, NamesTheConditionThatDoesNotHold) {
  const Policy policy = Read(kTenants);
  const auto missing = [&](const Asked& asked, Operation operation = Operation::kDecrypt,
                           const char* name = "shared-1") {
    const Decision decision = Ask(policy, "red-reader", operation, "red-app", name, asked);
    EXPECT_EQ(decision.allowed, decision.missing.empty());
    EXPECT_EQ(decision.nearest, decision.allowed ? "" : "grant red/shared");
    return std::string(decision.missing);
  };
  EXPECT_EQ(missing({}), "");
  EXPECT_EQ(Ask(policy, "red-reader", Operation::kDecrypt, "red-app", "shared-1").rule,
            "grant red/shared");
  EXPECT_EQ(missing({.address = "11.0.0.1"}), "not from this address");
  EXPECT_EQ(missing({.address = ""}), "not from this address");
  EXPECT_EQ(missing({.now = kSundayNoon - 86400}), "not on this day");
  EXPECT_EQ(missing({.now = kSundayNoon + 3600}), "not at this hour");
  EXPECT_EQ(missing({.now = kSundayNoon + 3599}), "");
  EXPECT_EQ(missing({.now = kSundayNoon - 3601}), "not at this hour");
  EXPECT_EQ(missing({.now = kSundayNoon + 7 * 86400}), "its time is over");
  EXPECT_EQ(missing({.counts = {{0, {.uses = 4, .recent = 1}}}}), "");
  EXPECT_EQ(missing({.counts = {{0, {.uses = 5}}}}), "its uses are used up");
  EXPECT_EQ(missing({.counts = {{0, {.recent = 2}}}}), "its rate is reached");
  EXPECT_EQ(missing({}, Operation::kEncrypt), "not for this operation");
  EXPECT_EQ(missing({}, Operation::kDecrypt, "other"), "not for this object");
}

TEST(DecideByPolicy, ShowsWhatMayBeUsedAndHidesTheRest) {
  const Policy policy = Read(kTenants);
  EXPECT_TRUE(Ask(policy, "red-reader", Operation::kLocate, "red-app", "shared-1").allowed);
  EXPECT_FALSE(Ask(policy, "red-reader", Operation::kEncrypt, "red-app", "shared-1").hidden);
  EXPECT_TRUE(Ask(policy, "red-reader", Operation::kDecrypt, "red-app", "other").hidden);
  // What is used up can still be seen: the answer is a denial.
  const Asked used_up{.counts = {{0, {.uses = 5}}}};
  EXPECT_FALSE(
      Ask(policy, "red-reader", Operation::kDecrypt, "red-app", "shared-1", used_up).hidden);
}

TEST(DecideByPolicy, LetsADenialWin) {
  const Policy policy = Read(kTenants);
  const Decision decision = Ask(policy, "red-app", Operation::kExport, "red-app");
  EXPECT_FALSE(decision.allowed);
  EXPECT_EQ(decision.rule, "deny red/no-export");
  EXPECT_FALSE(decision.hidden);
  EXPECT_TRUE(Ask(policy, "blue-app", Operation::kExport, "blue-app").allowed);
}

TEST(DecideByPolicy, DeniesWhoHoldsRolesThatExcludeOneAnother) {
  const Policy policy = Read(R"(format = 1
[[domain]]
name = "default"
[[domain.group]]
name = "auditors"
certificates = true
[domain.roles]
auditor = ["group:auditors"]
client = ["principal:app"]
)");
  const auto ask = [&](std::vector<std::string> groups) {
    return Decide(policy, {.name = "app", .groups = std::move(groups)}, Operation::kGet,
                  ObjectFacts{.owner = "app"}, Circumstances{});
  };
  EXPECT_TRUE(ask({}).allowed);
  EXPECT_EQ(ask({"auditors"}).rule, "its roles exclude one another");
}

TEST(DecideByPolicy, LetsATicketTakeAwayOnly) {
  const Policy policy = Read(kTenants);
  Principal app{.name = "red-app"};
  app.rights = {Right{.operations = {{Operation::kEncrypt}}}};
  const ObjectFacts own{.owner = "red-app"}, other{.owner = "red-app2"};
  EXPECT_TRUE(Decide(policy, app, Operation::kEncrypt, own, Circumstances{}).allowed);
  EXPECT_TRUE(Decide(policy, app, Operation::kDecrypt, own, Circumstances{}).beyond_rights);
  EXPECT_FALSE(Decide(policy, app, Operation::kEncrypt, other, Circumstances{}).allowed);
}

TEST(DecideByPolicy, AllowsNothingWhereThePolicyCannotBeRead) {
  const Policy policy = Policy::Closed();
  EXPECT_FALSE(Ask(policy, "root", Operation::kLocate, "root").allowed);
  EXPECT_FALSE(Decide(policy, {.name = "root"}, Operation::kCreate, Circumstances{}).allowed);
}

}  // namespace
}  // namespace dare::policy

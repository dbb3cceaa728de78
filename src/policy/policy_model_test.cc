#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "kmip/names.h"
#include "policy/access.h"
#include "policy/document.h"

// Decide against a model of docs/policy.md that shares nothing with it: sets of names instead of
// classes, texts instead of patterns and ranges, and every rule looked at for every question.
namespace dare::policy {
namespace {

using Names = std::set<std::string>;

const Names kRead = {"Locate", "GetAttributes", "GetAttributeList"};
const Names kWithdraw = {"Revoke", "Destroy", "Archive", "Recover"};
const Names kManage = {"Revoke",          "Destroy",         "Archive",         "Recover",
                       "AddAttribute",    "ModifyAttribute", "DeleteAttribute", "SetAttribute",
                       "AdjustAttribute", "Activate",        "Deactivate",      "ReKey",
                       "ReKeyKeyPair"};
const Names kUse = {"Get",       "Export",          "Check",   "ObtainLease", "GetUsageAllocation",
                    "DeriveKey", "JoinSplitKey",    "Encrypt", "Decrypt",     "Sign",
                    "MAC",       "SignatureVerify", "Certify", "ReCertify",   "Validate",
                    "MACVerify", "RNGRetrieve",     "RNGSeed", "Hash"};
const Names kMake = {"Create", "CreateKeyPair", "CreateSplitKey", "Register", "Import"};
const Names kSession = {"Query",
                        "DiscoverVersions",
                        "Ping",
                        "PKCS_11",
                        "Login",
                        "Logout",
                        "Log",
                        "Poll",
                        "Cancel",
                        "Process",
                        "GetConstraints",
                        "QueryAsynchronousRequests",
                        "SetEndpointRole"};
const Names kOwnRules = {"DelegatedLogin", "SetDefaults", "SetConstraints", "Interop"};
const Names kWithoutObject = {"Create",      "CreateKeyPair",  "CreateSplitKey", "Register",
                              "Import",      "RNGRetrieve",    "RNGSeed",        "Hash",
                              "SetDefaults", "SetConstraints", "DelegatedLogin", "Interop"};
const Names kEither = {"Certify", "ReCertify", "Validate"};  // with an object or without

Names Union(std::initializer_list<const Names*> sets) {
  Names all;
  for (const Names* set : sets) all.insert(set->begin(), set->end());
  return all;
}
const Names kAll = Union({&kRead, &kManage, &kUse, &kMake, &kOwnRules});
const Names kEverything = Union({&kAll, &kSession});

// What the tests make up, before it is a text.
struct RawGrant {
  bool deny = false;
  std::string to, operation, object, group;
  bool from_inside = false, on_weekends = false, in_the_morning = false, until_noon = false;
  int rate = 0, uses = 0;
};
struct RawDomain {
  std::string name;
  Names members;  // exact
  std::string member_prefix;
  std::map<std::string, Names> groups;  // and their members; "g2" takes certificates
  std::map<std::string, Names> roles;   // whom: "principal:alice", "principal:a*", "group:g1"
  std::vector<RawGrant> grants;
};
struct Question {
  Principal who;
  std::string operation;
  bool with_object = false;
  std::string owner, id, name, group;
  bool inside = false, weekend = false, morning = false, before_noon = false;
  GrantCounts counts;
};

bool Like(const std::string& pattern, const std::string& name) {
  if (pattern.empty() || pattern.back() != '*') return pattern == name;
  return name.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
}

class Model {
 public:
  explicit Model(const std::vector<RawDomain>& domains) : domains_(domains) {}

  bool Allows(const Question& q, const std::string& operation, bool look = false) const {
    if (q.who.name.empty() || !kEverything.contains(operation)) return false;
    if (!q.with_object) {
      if (kSession.contains(operation) || operation == "Locate") return true;
      if (!kWithoutObject.contains(operation) && !kEither.contains(operation)) return false;
    } else {
      if (kSession.contains(operation) || kWithoutObject.contains(operation)) return false;
      if (DomainOf(q.owner) != DomainOf(q.who.name)) return false;
    }
    const RawDomain& domain = domains_[DomainOf(q.who.name)];
    const Names roles = Roles(domain, q.who);
    if (roles.size() > 1 && roles != Names{"administrator", "custodian"}) return false;
    if (roles.contains("operator")) return false;
    if (roles.contains("auditor") && !kRead.contains(operation)) return false;
    const bool keeper = roles.contains("administrator") || roles.contains("custodian");
    if (keeper && (kUse.contains(operation) || operation == "Register" || operation == "Import")) {
      return false;
    }
    bool granted = false;
    std::size_t number = FirstGrant(domain);
    for (const RawGrant& grant : domain.grants) {
      const bool fits = Fits(domain, grant, roles, q, operation, look, number++);
      if (fits && grant.deny) return false;
      granted = granted || fits;
    }
    if (roles.contains("client") &&
        (q.with_object ? q.owner == q.who.name : !kRead.contains(operation))) {
      return true;
    }
    if (roles.contains("auditor") && kRead.contains(operation)) return true;
    if (keeper && (kRead.contains(operation) || kWithdraw.contains(operation))) return true;
    if (roles.contains("custodian") &&
        (kManage.contains(operation) || kOwnRules.contains(operation) ||
         kMake.contains(operation))) {
      return true;
    }
    return granted;
  }

  bool Hides(const Question& q) const {
    return !Allows(q, q.operation) && !Allows(q, "Locate", true);
  }

 private:
  std::size_t DomainOf(const std::string& name) const {
    for (std::size_t i = 0; i < domains_.size(); ++i) {
      if (domains_[i].members.contains(name)) return i;
    }
    for (std::size_t i = 0; i < domains_.size(); ++i) {
      if (!domains_[i].member_prefix.empty() && Like(domains_[i].member_prefix, name)) return i;
    }
    return 0;  // the default one
  }
  std::size_t FirstGrant(const RawDomain& domain) const {
    std::size_t first = 0;
    for (const RawDomain& other : domains_) {
      if (other.name == domain.name) break;
      first += other.grants.size();
    }
    return first;
  }
  static bool In(const RawDomain& domain, const std::string& group, const Principal& who) {
    const auto found = domain.groups.find(group);
    if (found == domain.groups.end()) return false;
    if (group == "g2" && std::ranges::count(who.groups, group) > 0) return true;
    return std::ranges::any_of(found->second,
                               [&](const std::string& member) { return Like(member, who.name); });
  }
  static bool Is(const RawDomain& domain, const std::string& subject, const Names& roles,
                 const Principal& who) {
    const std::string rest = subject.substr(subject.find(':') + 1);
    if (subject.starts_with("role:")) return roles.contains(rest);
    if (subject.starts_with("group:")) return In(domain, rest, who);
    return Like(rest, who.name);
  }
  static Names Roles(const RawDomain& domain, const Principal& who) {
    Names named, general;
    if (who.administrator) named.insert("administrator");
    for (const auto& [role, holders] : domain.roles) {
      for (const std::string& holder : holders) {
        if (!Is(domain, holder, {}, who)) continue;
        (holder.back() == '*' ? general : named).insert(role);
      }
    }
    return named.empty() ? general : named;
  }
  static bool Means(const std::string& word, const std::string& operation) {
    if (word == "read") return kRead.contains(operation);
    if (word == "use") return kUse.contains(operation);
    if (word == "manage") return kManage.contains(operation);
    if (word == "make") return kMake.contains(operation);
    if (word == "all") return kAll.contains(operation);
    return word == operation;
  }
  static bool Fits(const RawDomain& domain, const RawGrant& grant, const Names& roles,
                   const Question& q, const std::string& operation, bool look, std::size_t number) {
    if (!Is(domain, grant.to, roles, q.who)) return false;
    const bool locate = operation == "Locate";
    if (!Means(grant.operation, operation) && !(locate && !grant.deny)) return false;
    if (!grant.object.empty() || !grant.group.empty()) {
      if (!q.with_object) return false;
      const bool object =
          !grant.object.empty() && (Like(grant.object, q.id) || Like(grant.object, q.name));
      const bool group = !grant.group.empty() && grant.group == q.group;
      if (!object && !group) return false;
    }
    if (grant.from_inside && !q.inside) return false;
    if (grant.on_weekends && !q.weekend) return false;
    if (grant.in_the_morning && !q.morning) return false;
    if (grant.until_noon && !q.before_noon) return false;
    if (look || locate) return true;
    const auto count = q.counts.find(number);
    if (count == q.counts.end()) return true;
    if (grant.uses != 0 && count->second.uses >= static_cast<std::uint64_t>(grant.uses)) {
      return false;
    }
    return grant.rate == 0 || count->second.recent < static_cast<std::uint64_t>(grant.rate);
  }

  const std::vector<RawDomain>& domains_;
};

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

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }
std::string ListOf(const Names& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + Quoted(name);
  return "[" + list + "]";
}

RawGrant DrawGrant(Dice& dice) {
  static const std::vector<std::string> whom = {"principal:alice", "principal:a*",  "principal:*",
                                                "principal:bob",   "group:g1",      "group:g2",
                                                "role:client",     "role:custodian"};
  static const std::vector<std::string> words = {"read", "use",     "manage",  "make", "all",
                                                 "Get",  "Encrypt", "Destroy", "ReKey"};
  RawGrant grant;
  grant.deny = dice.OneIn(4);
  grant.to = dice.Of(whom);
  grant.operation = dice.OneIn(4) ? dice.Of(kAll) : dice.Of(words);
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

std::string TextOf(const std::vector<RawDomain>& domains) {
  std::string out = "format = 1\n";
  for (const RawDomain& domain : domains) {
    out += "[[domain]]\nname = " + Quoted(domain.name) + "\n";
    Names members = domain.members;
    if (!domain.member_prefix.empty()) members.insert(domain.member_prefix);
    if (!members.empty()) out += "members = " + ListOf(members) + "\n";
    for (const auto& [name, group] : domain.groups) {
      out += "[[domain.group]]\nname = " + Quoted(name) + "\nmembers = " + ListOf(group) +
             (name == "g2" ? "\ncertificates = true\n" : "\n");
    }
    out += "[domain.roles]\n";
    for (const auto& [role, holders] : domain.roles) out += role + " = " + ListOf(holders) + "\n";
    int number = 0;
    for (const RawGrant& grant : domain.grants) {
      out += "[[domain.grant]]\nname = \"n" + std::to_string(number++) + "\"\n";
      if (grant.deny) out += "effect = \"deny\"\n";
      out += "to = [" + Quoted(grant.to) + "]\noperations = [" + Quoted(grant.operation) + "]\n";
      if (!grant.object.empty()) out += "objects = [" + Quoted(grant.object) + "]\n";
      if (!grant.group.empty()) out += "object_groups = [" + Quoted(grant.group) + "]\n";
      if (grant.from_inside) out += "addresses = [\"10.0.0.0/8\"]\n";
      if (grant.on_weekends) out += "days = [\"sat\", \"sun\"]\n";
      if (grant.in_the_morning) out += "hours = \"06:00-11:00\"\n";
      if (grant.until_noon) out += "until = \"2026-11-29T12:00:00Z\"\n";
      if (grant.rate != 0) out += "rate = \"" + std::to_string(grant.rate) + "/60s\"\n";
      if (grant.uses != 0) out += "uses = " + std::to_string(grant.uses) + "\n";
    }
  }
  return out;
}

Question Draw(Dice& dice, std::size_t grants) {
  Question q;
  q.who.name = dice.OneIn(20) ? "" : dice.Of(kPeople);
  q.who.administrator = dice.OneIn(20);
  if (dice.OneIn(4)) q.who.groups = {dice.OneIn(2) ? "g1" : "g2"};
  q.operation = dice.Of(kEverything);
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

// Sunday 29 November 2026, or the Friday or Saturday before; at 07:00, 11:30 or 13:00.
std::int64_t MomentOf(const Question& q) {
  constexpr std::int64_t kSunday = 1795910400, kDay = 86400;
  std::int64_t day = q.weekend ? kSunday : kSunday - 2 * kDay;
  // After noon of the 29th in any case; a working day then is the Monday after it.
  if (!q.before_noon && !q.weekend) day = kSunday + kDay;
  const std::int64_t minute = q.morning ? 7 * 60 : q.before_noon ? 11 * 60 + 30 : 13 * 60;
  return day + minute * 60;
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
    const Model model(domains);
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

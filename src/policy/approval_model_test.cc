#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "policy/approval.h"
#include "policy/document.h"

// StandingOf against a model of docs/dual-control.md that shares nothing with it: for each name it
// asks by itself whether that person's voice counts, from the texts that the policy was made of.
namespace dare::policy {
namespace {

using Names = std::set<std::string>;
using Random = std::mt19937_64;

const std::vector<std::string> kPeople = {"ann", "ben", "cid", "dot", "eve", "red-1", "red-2"};

// What the test makes up, before it is a text. One domain has the rule; "red-…" are of the other.
struct RawRule {
  int needed = 1;
  std::vector<std::string> by, emergency;
  Names keepers;    // members of the group
  Names custodian;  // who holds the role
  Names auditor, client;
  bool client_pattern = false;  // the role client is everybody's who has no other
};
struct Said {
  std::string who;
  bool yes = false, administrator = false, in_certificate = false;
};
struct Case {
  std::string requester;
  std::vector<Said> said;
  std::optional<Said> bypass;
  bool over = false;
};

std::string Quote(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "\"" : ", \"") + text + "\"";
  return "[" + list + "]";
}

std::string Holders(const std::string& role, const Names& names, bool pattern = false) {
  std::vector<std::string> list;
  for (const std::string& name : names) list.push_back("principal:" + name);
  if (pattern) list.emplace_back("principal:*");
  return list.empty() ? "" : role + " = " + Quote(list) + "\n";
}

std::string TextOf(const RawRule& raw) {
  std::string text = "format = 1\n[[domain]]\nname = \"default\"\n[[domain.group]]\n";
  text += "name = \"keepers\"\ncertificates = true\nmembers = " +
          Quote({raw.keepers.begin(), raw.keepers.end()}) + "\n[domain.roles]\n";
  text += Holders("custodian", raw.custodian) + Holders("auditor", raw.auditor);
  text += Holders("client", raw.client, raw.client_pattern);
  text += "[[domain.approval]]\nname = \"rule\"\nacts = [\"Destroy\"]\nneeded = " +
          std::to_string(raw.needed) + "\nby = " + Quote(raw.by) + "\n";
  if (!raw.emergency.empty()) text += "emergency = " + Quote(raw.emergency) + "\n";
  return text + "[[domain]]\nname = \"red\"\nmembers = [\"red-*\"]\n";
}

class Model {
 public:
  explicit Model(const RawRule& raw) : raw_(raw) {}

  Standing Judge(const Case& c) const {
    if (c.over) return Standing::kExpired;
    if (c.bypass && Named(raw_.emergency, *c.bypass)) return Standing::kApproved;
    int approvals = 0;
    for (const std::string& name : kPeople) {
      if (name == c.requester) continue;
      const Said* first = nullptr;
      for (const Said& said : c.said) {
        if (first == nullptr && said.who == name) first = &said;
      }
      if (first == nullptr || !Named(raw_.by, *first)) continue;
      if (!first->yes) return Standing::kRefused;
      ++approvals;
    }
    return approvals >= raw_.needed ? Standing::kApproved : Standing::kWaiting;
  }

 private:
  Names Roles(const Said& said) const {
    Names roles;
    if (said.administrator) roles.insert("administrator");
    if (raw_.custodian.contains(said.who)) roles.insert("custodian");
    if (raw_.auditor.contains(said.who)) roles.insert("auditor");
    if (raw_.client.contains(said.who)) roles.insert("client");
    if (roles.empty() && raw_.client_pattern) roles.insert("client");
    return roles;
  }
  bool Named(const std::vector<std::string>& subjects, const Said& said) const {
    if (said.who.starts_with("red-")) return false;
    const Names roles = Roles(said);
    if (roles.size() > 1 && roles != Names{"administrator", "custodian"}) return false;
    if (roles.contains("auditor")) return false;
    for (const std::string& subject : subjects) {
      const std::string rest = subject.substr(subject.find(':') + 1);
      if (subject.starts_with("role:") && roles.contains(rest)) return true;
      if (subject.starts_with("group:") &&
          (said.in_certificate || raw_.keepers.contains(said.who))) {
        return true;
      }
      if (subject.starts_with("principal:") && (rest == "*" || rest == said.who)) return true;
    }
    return false;
  }

  const RawRule& raw_;
};

template <typename T>
const T& Pick(Random& random, const std::vector<T>& from) {
  return from[random() % from.size()];
}

Names Some(Random& random, int one_in) {
  Names names;
  for (const std::string& name : kPeople) {
    if (!name.starts_with("red-") && random() % static_cast<unsigned>(one_in) == 0) {
      names.insert(name);
    }
  }
  return names;
}

RawRule MakeRule(Random& random) {
  static const std::vector<std::string> kSubjects = {
      "principal:ann", "principal:ben",  "principal:*",        "principal:red-1",
      "group:keepers", "role:custodian", "role:administrator", "role:client"};
  RawRule raw;
  raw.needed = static_cast<int>(1 + random() % 4);
  for (std::uint64_t i = 0, many = 1 + random() % 3; i < many; ++i) {
    raw.by.push_back(Pick(random, kSubjects));
  }
  if (random() % 2 == 0) raw.emergency.push_back(Pick(random, kSubjects));
  raw.keepers = Some(random, 3);
  raw.custodian = Some(random, 4);
  raw.auditor = Some(random, 6);
  raw.client = Some(random, 4);
  raw.client_pattern = random() % 2 == 0;
  return raw;
}

Said MakeSaid(Random& random) {
  return {Pick(random, kPeople), random() % 8 != 0, random() % 4 == 0, random() % 4 == 0};
}

Case MakeCase(Random& random) {
  Case c{.requester = Pick(random, kPeople)};
  for (std::uint64_t i = 0, many = random() % 8; i < many; ++i) c.said.push_back(MakeSaid(random));
  if (random() % 4 == 0) c.bypass = MakeSaid(random);
  c.over = random() % 8 == 0;
  return c;
}

Principal PrincipalOf(const Said& said) {
  Principal who{.name = said.who, .administrator = said.administrator};
  if (said.in_certificate) who.groups = {"keepers"};
  return who;
}

TEST(ApprovalModel, GivesTheSameStandingInManyCases) {
  constexpr std::uint64_t kSeed = 20261129;
  Random random(kSeed);
  std::map<Standing, int> seen;
  for (int round = 0; round < 1000; ++round) {
    const RawRule raw = MakeRule(random);
    const std::string text = TextOf(raw);
    const Result<Policy> policy = ParsePolicy(text, "made up");
    ASSERT_TRUE(policy) << policy.error().message << "\n" << text;
    const Guard guard = GuardOf(*policy, Act::kDestroy, ObjectFacts{.owner = "ann", .id = "1"});
    ASSERT_TRUE(guard);
    const Model model(raw);
    for (int i = 0; i < 100; ++i) {
      const Case c = MakeCase(random);
      Petition petition{.requester = c.requester, .expires = 1000};
      for (const Said& said : c.said) petition.voices.push_back({PrincipalOf(said), said.yes});
      if (c.bypass) petition.bypassed_by = PrincipalOf(*c.bypass);
      const Standing standing = StandingOf(guard, petition, c.over ? 1000 : 999);
      ++seen[standing];
      ASSERT_EQ(standing, model.Judge(c))
          << "round " << round << ", case " << i << ", seed " << kSeed << "\n"
          << text;
    }
  }
  for (const Standing standing :
       {Standing::kWaiting, Standing::kApproved, Standing::kRefused, Standing::kExpired}) {
    EXPECT_GT(seen[standing], 1000) << static_cast<int>(standing);
  }
}

}  // namespace
}  // namespace dare::policy

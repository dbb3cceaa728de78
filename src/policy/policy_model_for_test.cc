#include "policy/policy_model_for_test.h"

#include <algorithm>
#include <initializer_list>

namespace dare::policy {
namespace {

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

bool Like(const std::string& pattern, const std::string& name) {
  if (pattern.empty() || pattern.back() != '*') return pattern == name;
  return name.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0;
}

bool In(const RawDomain& domain, const std::string& group, const Principal& who) {
  const auto found = domain.groups.find(group);
  if (found == domain.groups.end()) return false;
  if (group == "g2" && std::ranges::count(who.groups, group) > 0) return true;
  return std::ranges::any_of(found->second,
                             [&](const std::string& member) { return Like(member, who.name); });
}

bool Is(const RawDomain& domain, const std::string& subject, const Names& roles,
        const Principal& who) {
  const std::string rest = subject.substr(subject.find(':') + 1);
  if (subject.starts_with("role:")) return roles.contains(rest);
  if (subject.starts_with("group:")) return In(domain, rest, who);
  return Like(rest, who.name);
}

Names Roles(const RawDomain& domain, const Principal& who) {
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

bool Means(const std::string& word, const std::string& operation) {
  if (word == "read") return kRead.contains(operation);
  if (word == "use") return kUse.contains(operation);
  if (word == "manage") return kManage.contains(operation);
  if (word == "make") return kMake.contains(operation);
  if (word == "all") return kAll.contains(operation);
  return word == operation;
}

bool Fits(const RawDomain& domain, const RawGrant& grant, const Names& roles, const Question& q,
          const std::string& operation, bool look, std::size_t number) {
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

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }
std::string ListOf(const Names& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + Quoted(name);
  return "[" + list + "]";
}

}  // namespace

const Names& AllOperations() { return kAll; }
const Names& KnownOperations() { return kEverything; }

bool PolicyModel::Allows(const Question& q, const std::string& operation, bool look) const {
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
      (kManage.contains(operation) || kOwnRules.contains(operation) || kMake.contains(operation))) {
    return true;
  }
  return granted;
}

bool PolicyModel::Hides(const Question& q) const {
  return !Allows(q, q.operation) && !Allows(q, "Locate", true);
}

std::size_t PolicyModel::DomainOf(const std::string& name) const {
  for (std::size_t i = 0; i < domains_.size(); ++i) {
    if (domains_[i].members.contains(name)) return i;
  }
  for (std::size_t i = 0; i < domains_.size(); ++i) {
    if (!domains_[i].member_prefix.empty() && Like(domains_[i].member_prefix, name)) return i;
  }
  return 0;  // the default one
}

std::size_t PolicyModel::FirstGrant(const RawDomain& domain) const {
  std::size_t first = 0;
  for (const RawDomain& other : domains_) {
    if (other.name == domain.name) break;
    first += other.grants.size();
  }
  return first;
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

std::int64_t MomentOf(const Question& q) {
  constexpr std::int64_t kSunday = 1795910400, kDay = 86400;
  std::int64_t day = q.weekend ? kSunday : kSunday - 2 * kDay;
  // After noon of the 29th in any case; a working day then is the Monday after it.
  if (!q.before_noon && !q.weekend) day = kSunday + kDay;
  const std::int64_t minute = q.morning ? 7 * 60 : q.before_noon ? 11 * 60 + 30 : 13 * 60;
  return day + minute * 60;
}

}  // namespace dare::policy

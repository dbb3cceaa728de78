#include "policy/document.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "policy/approval.h"
#include "policy/conditions_text.h"
#include "settings/table_reader.h"

namespace dare::policy {
namespace {

using settings::TableReader;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMostDomains = 256, kMostGroups = 1024, kMostGrants = 4096, kMostItems = 1024;
constexpr std::size_t kMostApprovals = 64;  // of a domain
constexpr std::size_t kMostWord = 64;

bool IsWord(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= kMostWord && std::ranges::all_of(text, allowed);
}

// The list under `key`, each of its texts read by `parse`.
template <typename T, typename Parse>
void ReadList(TableReader& table, std::string_view key, std::vector<T>& out, Parse parse) {
  std::vector<std::string> texts;
  table.Names(key, texts);
  if (texts.size() > kMostItems) {
    return table.Complain(*table.At(key), "a list has 1024 items at most");
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Result<T> item = parse(texts[i]);
    if (!item) {
      return table.Complain(*table.At(key)->as_array()->get(i), item.error().message);
    }
    out.push_back(*std::move(item));
  }
}

// The text under `key`, where there is one, read by `parse`.
template <typename T, typename Parse>
void ReadOptional(TableReader& table, std::string_view key, std::optional<T>& out, Parse parse) {
  if (table.At(key) == nullptr) return;
  std::string text;
  table.Text(key, text);
  Result<T> value = parse(text);
  if (!value) return table.Complain(*table.At(key), value.error().message);
  out = *std::move(value);
}

void ReadName(TableReader& table, std::string& out) {
  table.Text("name", out);
  if (!IsWord(out)) {
    table.ComplainOfAll("a name is needed: up to 64 of a-z, 0-9, '-', '_' and '.'");
  }
}

template <typename T>
void RefuseRepeated(const std::vector<T>& list, TableReader& table, const std::string& name) {
  if (std::ranges::any_of(list, [&](const T& other) { return other.name == name; })) {
    table.ComplainOfAll("there are two with the name '" + name + "'");
  }
}

Group ReadGroup(TableReader& table) {
  Group group;
  group.line.number = table.line();
  ReadName(table, group.name);
  ReadList(table, "members", group.members, NamePattern::Parse);
  table.Flag("certificates", group.certificates);
  table.RefuseOthers();
  return group;
}

void ReadConditions(TableReader& table, Conditions& when) {
  ReadList(table, "addresses", when.addresses, AddressRange::Parse);
  std::vector<std::uint8_t> days;
  ReadList(table, "days", days, ParseDay);
  for (const std::uint8_t day : days) when.days |= day;
  ReadOptional(table, "hours", when.hours, ParseHours);
  ReadOptional(table, "until", when.until, ParseMoment);
  ReadOptional(table, "rate", when.rate, ParseRate);
  if (table.At("uses") != nullptr) {
    std::uint64_t uses = 0;
    table.Number("uses", uses, 1, 1'000'000'000'000);
    when.uses = uses;
  }
}

Result<std::string> ParseObjectGroup(const std::string& text) {
  const NamePattern pattern = TRY(NamePattern::Parse(text));
  if (pattern.exact()) return text;
  return Error(Code::kInvalidArgument, "an object group is named exactly, without '*'");
}

// An empty list is not all of the domain: somebody may have taken out the last one.
void RefuseEmpty(TableReader& table, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const toml::node* const node = table.At(key);
    if (node != nullptr && node->as_array() != nullptr && node->as_array()->empty()) {
      table.Complain(*node, std::string(key) + " must not be empty: leave it out for all");
    }
  }
}

Grant ReadGrant(TableReader& table) {
  Grant grant;
  grant.line.number = table.line();
  ReadName(table, grant.name);
  std::string effect = "allow";
  table.Choice("effect", effect, {"allow", "deny"});
  grant.deny = effect == "deny";
  ReadList(table, "to", grant.to, ParseSubject);
  ReadList(table, "operations", grant.operations, ParseOperationWord);
  ReadList(table, "objects", grant.objects, NamePattern::Parse);
  ReadList(table, "object_groups", grant.object_groups, ParseObjectGroup);
  ReadConditions(table, grant.when);
  table.RefuseOthers();
  if (grant.to.empty()) table.ComplainOfAll("'to' is needed: whom the grant is for");
  if (grant.operations.empty()) table.ComplainOfAll("'operations' is needed");
  RefuseEmpty(table, {"objects", "object_groups", "addresses", "days"});
  if (grant.deny && (grant.when.rate || grant.when.uses)) {
    table.ComplainOfAll("a grant that denies is not counted: no 'rate' and no 'uses'");
  }
  return grant;
}

ApprovalRule ReadApproval(TableReader& table) {
  ApprovalRule rule;
  rule.line.number = table.line();
  ReadName(table, rule.name);
  ReadList(table, "acts", rule.acts, ParseAct);
  ReadList(table, "objects", rule.objects, NamePattern::Parse);
  ReadList(table, "object_groups", rule.object_groups, ParseObjectGroup);
  table.Number("needed", rule.needed, 1, 16);
  ReadList(table, "by", rule.by, ParseSubject);
  std::optional<std::int64_t> seconds;
  ReadOptional(table, "valid_for", seconds, ParseDuration);
  rule.seconds = seconds.value_or(kUsualApprovalSeconds);
  ReadList(table, "emergency", rule.emergency, ParseSubject);
  table.RefuseOthers();
  if (rule.acts.empty()) table.ComplainOfAll("'acts' is needed: what needs the approval");
  if (rule.by.empty()) table.ComplainOfAll("'by' is needed: whose approval");
  if (table.At("needed") == nullptr) table.ComplainOfAll("'needed' is needed: of how many");
  RefuseEmpty(table, {"objects", "object_groups", "emergency"});
  const bool names_objects = !rule.objects.empty() || !rule.object_groups.empty();
  if (names_objects && std::ranges::any_of(rule.acts, IsOfService)) {
    table.ComplainOfAll(
        "what administrators do is about no object: give it a rule of its own, without 'objects' "
        "and 'object_groups'");
  }
  return rule;
}

void ReadRoles(TableReader table, Domain& domain) {
  for (const Role role : kRoles) {
    const std::string_view key = RoleName(role);
    if (table.At(key) == nullptr) {
      std::vector<std::string> none;
      table.Names(key, none);
      continue;
    }
    RoleHolders holders{.role = role};
    holders.line.number = static_cast<int>(table.At(key)->source().begin.line);
    ReadList(table, key, holders.to, ParseSubject);
    const auto is_role = [](const Subject& subject) {
      return subject.kind == Subject::Kind::kRole;
    };
    if (std::ranges::any_of(holders.to, is_role)) {
      table.Complain(*table.At(key), "a role is held by principals and groups, not by a role");
    }
    if (!holders.to.empty()) domain.roles.push_back(std::move(holders));
  }
  table.RefuseOthers();
}

Domain ReadDomain(TableReader& table, std::size_t& grants) {
  Domain domain;
  domain.line.number = table.line();
  ReadName(table, domain.name);
  ReadList(table, "members", domain.members, NamePattern::Parse);
  if (domain.name == kDefaultDomain && !domain.members.empty()) {
    table.ComplainOfAll("the default domain has everybody who is in no other: no 'members'");
  }
  std::vector<TableReader> groups = table.Tables("group");
  if (groups.size() > kMostGroups) table.ComplainOfAll("a domain has 1024 groups at most");
  for (TableReader& group : groups) {
    Group read = ReadGroup(group);
    RefuseRepeated(domain.groups, group, read.name);
    domain.groups.push_back(std::move(read));
  }
  ReadRoles(table.Table("roles"), domain);
  for (TableReader& grant : table.Tables("grant")) {
    if (++grants > kMostGrants) table.ComplainOfAll("a policy has 4096 grants at most");
    Grant read = ReadGrant(grant);
    RefuseRepeated(domain.grants, grant, read.name);
    domain.grants.push_back(std::move(read));
  }
  std::vector<TableReader> approvals = table.Tables("approval");
  if (approvals.size() > kMostApprovals) {
    table.ComplainOfAll("a domain has 64 rules of approval at most");
  }
  for (TableReader& approval : approvals) {
    ApprovalRule read = ReadApproval(approval);
    RefuseRepeated(domain.approvals, approval, read.name);
    domain.approvals.push_back(std::move(read));
  }
  table.RefuseOthers();
  return domain;
}

// A basic string of TOML. Texts have no control characters.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

template <typename T, typename Text>
std::string List(const std::vector<T>& items, Text text) {
  std::string list = "[";
  for (const T& item : items) {
    if (list.size() > 1) list += ", ";
    list += Quoted(text(item));
  }
  return list + "]";
}

std::string Patterns(const std::vector<NamePattern>& patterns) {
  return List(patterns, [](const NamePattern& pattern) { return pattern.text(); });
}

std::string Subjects(const std::vector<Subject>& subjects) {
  return List(subjects, [](const Subject& subject) { return TextOf(subject); });
}

void PrintConditions(const Conditions& when, std::string& out) {
  if (!when.addresses.empty()) {
    const auto text = [](const AddressRange& range) { return range.text(); };
    out += "addresses = " + List(when.addresses, text) + "\n";
  }
  std::vector<int> days;
  for (int day = 0; day < 7; ++day) {
    if ((when.days >> day & 1) != 0) days.push_back(day);
  }
  if (!days.empty()) out += "days = " + List(days, DayName) + "\n";
  if (when.hours) out += "hours = " + Quoted(TextOf(*when.hours)) + "\n";
  if (when.until) out += "until = " + Quoted(MomentText(*when.until)) + "\n";
  if (when.rate) out += "rate = " + Quoted(TextOf(*when.rate)) + "\n";
  if (when.uses) out += "uses = " + std::to_string(*when.uses) + "\n";
}

void PrintGrant(const Grant& grant, std::string& out) {
  out += "\n[[domain.grant]]\nname = " + Quoted(grant.name) + "\n";
  if (grant.deny) out += "effect = \"deny\"\n";
  out += "to = " + Subjects(grant.to) + "\n";
  const auto word = [](const OperationWord& operation) { return TextOf(operation); };
  out += "operations = " + List(grant.operations, word) + "\n";
  if (!grant.objects.empty()) out += "objects = " + Patterns(grant.objects) + "\n";
  if (!grant.object_groups.empty()) {
    const auto same = [](const std::string& group) { return group; };
    out += "object_groups = " + List(grant.object_groups, same) + "\n";
  }
  PrintConditions(grant.when, out);
}

void PrintApproval(const ApprovalRule& rule, std::string& out) {
  out += "\n[[domain.approval]]\nname = " + Quoted(rule.name) + "\n";
  out += "acts = " + List(rule.acts, ActName) + "\n";
  if (!rule.objects.empty()) out += "objects = " + Patterns(rule.objects) + "\n";
  if (!rule.object_groups.empty()) {
    const auto same = [](const std::string& group) { return group; };
    out += "object_groups = " + List(rule.object_groups, same) + "\n";
  }
  out += "needed = " + std::to_string(rule.needed) + "\n";
  out += "by = " + Subjects(rule.by) + "\n";
  out += "valid_for = " + Quoted(DurationText(rule.seconds)) + "\n";
  if (!rule.emergency.empty()) out += "emergency = " + Subjects(rule.emergency) + "\n";
}

}  // namespace

Result<Policy> ParsePolicy(std::string_view text, const std::string& name) {
  if (text.size() > kMostDocumentBytes) {
    return Error(Code::kTooLarge, name + ": a policy has 256 KiB at most");
  }
  toml::table parsed;
  try {
    parsed = toml::parse(text, name);
  } catch (const toml::parse_error& e) {
    return Error(Code::kInvalidArgument, name + ":" + std::to_string(e.source().begin.line) + ": " +
                                             std::string(e.description()));
  }
  std::optional<Error> mistake;
  TableReader root(&parsed, "", name, mistake);
  std::int64_t format = 0;
  root.Number("format", format, kFormat, kFormat);
  std::vector<TableReader> tables = root.Tables("domain");
  if (tables.size() > kMostDomains) root.ComplainOfAll("a policy has 256 domains at most");
  std::vector<Domain> domains;
  std::size_t grants = 0;
  for (TableReader& table : tables) {
    if (mistake) break;
    Domain domain = ReadDomain(table, grants);
    RefuseRepeated(domains, table, domain.name);
    domains.push_back(std::move(domain));
  }
  root.RefuseOthers();
  if (mistake) return std::move(*mistake);
  if (format == 0) {
    return Error(Code::kInvalidArgument, name + ":1: 'format = 1' is needed");
  }
  const auto is_default = [](const Domain& domain) { return domain.name == kDefaultDomain; };
  if (std::ranges::none_of(domains, is_default)) {
    return Error(Code::kInvalidArgument,
                 name +
                     ":1: the domain \"default\" is needed: it decides for everybody who is in "
                     "no other");
  }
  return Policy(std::move(domains));
}

std::string PrintPolicy(const Policy& policy) {
  std::string out = "format = " + std::to_string(kFormat) + "\n";
  for (const Domain& domain : policy.domains()) {
    out += "\n[[domain]]\nname = " + Quoted(domain.name) + "\n";
    if (!domain.members.empty()) out += "members = " + Patterns(domain.members) + "\n";
    for (const Group& group : domain.groups) {
      out += "\n[[domain.group]]\nname = " + Quoted(group.name) + "\n";
      if (!group.members.empty()) out += "members = " + Patterns(group.members) + "\n";
      if (group.certificates) out += "certificates = true\n";
    }
    if (!domain.roles.empty()) out += "\n[domain.roles]\n";
    for (const RoleHolders& holders : domain.roles) {
      out += std::string(RoleName(holders.role)) + " = " + Subjects(holders.to) + "\n";
    }
    for (const Grant& grant : domain.grants) PrintGrant(grant, out);
    for (const ApprovalRule& rule : domain.approvals) PrintApproval(rule, out);
  }
  return out;
}

}  // namespace dare::policy

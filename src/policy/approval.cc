#include "policy/approval.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace dare::policy {
namespace {

constexpr std::array<std::pair<std::string_view, Act>, 6> kActs = {{
    {"Destroy", Act::kDestroy},
    {"Get", Act::kGet},
    {"Export", Act::kExport},
    {"RotateMasterKey", Act::kRotateMasterKey},
    {"ApplyPolicy", Act::kApplyPolicy},
    {"PruneAudit", Act::kPruneAudit},
}};

bool Names(const ApprovalRule& rule, Act act) {
  return std::ranges::find(rule.acts, act) != rule.acts.end();
}

bool IsNamed(const Guard& guard, const std::vector<Subject>& subjects, const Principal& who) {
  if (!guard || guard.policy->closed() || who.name.empty()) return false;
  if (&guard.policy->DomainOf(who.name) != guard.domain) return false;
  const RoleSet roles = RolesOf(*guard.domain, who);
  if (roles.Contradicts()) return false;
  for (const Role role : kRoles) {
    if (roles.Has(role) && !MayApprove(role)) return false;
  }
  return std::ranges::any_of(subjects, [&](const Subject& subject) {
    return IsSubject(*guard.domain, subject, who, roles);
  });
}

// The voices that count, each person's first.
std::vector<const Voice*> Counted(const Guard& guard, const Petition& petition) {
  std::vector<const Voice*> counted;
  std::set<std::string_view> heard = {petition.requester};
  for (const Voice& voice : petition.voices) {
    if (heard.insert(voice.who.name).second && HasVoice(guard, voice.who)) {
      counted.push_back(&voice);
    }
  }
  return counted;
}

}  // namespace

Result<Act> ParseAct(std::string_view text) {
  for (const auto& [name, act] : kActs) {
    if (name == text) return act;
  }
  std::string list;
  for (const auto& [name, act] : kActs) list += (list.empty() ? "" : ", ") + std::string(name);
  return Error(Code::kInvalidArgument,
               "'" + std::string(text.substr(0, 64)) + "' is none of " + list);
}

std::string_view ActName(Act act) {
  for (const auto& [name, known] : kActs) {
    if (known == act) return name;
  }
  return {};
}

bool IsOfService(Act act) {
  return act == Act::kRotateMasterKey || act == Act::kApplyPolicy || act == Act::kPruneAudit;
}

bool MayApprove(Role role) { return role != Role::kAuditor && role != Role::kOperator; }

Guard GuardOf(const Policy& policy, Act act, const ObjectFacts& object) {
  const Domain& domain = policy.DomainOf(object.owner);
  for (const ApprovalRule& rule : domain.approvals) {
    if (Names(rule, act) && IsAmong(rule.objects, rule.object_groups, &object)) {
      return {&policy, &domain, &rule};
    }
  }
  return {};
}

Guard GuardOf(const Policy& policy, Act act) {
  for (const Domain& domain : policy.domains()) {
    for (const ApprovalRule& rule : domain.approvals) {
      if (Names(rule, act)) return {&policy, &domain, &rule};
    }
  }
  return {};
}

Guard GuardNamed(const Policy& policy, std::string_view label) {
  for (const Domain& domain : policy.domains()) {
    for (const ApprovalRule& rule : domain.approvals) {
      if (rule.label == label) return {&policy, &domain, &rule};
    }
  }
  return {};
}

std::string Demand(const ApprovalRule& rule) {
  std::string text = std::to_string(rule.needed) + " of ";
  for (const Subject& subject : rule.by) {
    if (&subject != &rule.by.front()) text += ", ";
    const std::string_view kind = subject.kind == Subject::Kind::kPrincipal ? "principal:"
                                  : subject.kind == Subject::Kind::kGroup   ? "group:"
                                                                            : "role:";
    text += kind;
    text += subject.kind == Subject::Kind::kRole ? RoleName(subject.role)
                                                 : std::string_view(subject.name.text());
  }
  return text;
}

bool HasVoice(const Guard& guard, const Principal& who) {
  return guard && IsNamed(guard, guard.rule->by, who);
}

bool MayBypass(const Guard& guard, const Principal& who) {
  return guard && IsNamed(guard, guard.rule->emergency, who);
}

std::uint32_t CountApprovals(const Guard& guard, const Petition& petition) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      Counted(guard, petition), [](const Voice* voice) { return voice->approves; }));
}

Standing StandingOf(const Guard& guard, const Petition& petition, std::int64_t now) {
  if (!guard || now >= petition.expires) return Standing::kExpired;
  if (petition.bypassed_by && MayBypass(guard, *petition.bypassed_by)) return Standing::kApproved;
  const std::vector<const Voice*> counted = Counted(guard, petition);
  if (std::ranges::any_of(counted, [](const Voice* voice) { return !voice->approves; })) {
    return Standing::kRefused;
  }
  return counted.size() >= guard.rule->needed ? Standing::kApproved : Standing::kWaiting;
}

std::string_view WhyNoVoice(const Guard& guard, const Petition& petition, const Principal& who,
                            std::int64_t now) {
  if (!guard) return "the policy in force asks nobody about it any more";
  if (who.name == petition.requester) return "nobody approves or refuses their own request";
  if (!HasVoice(guard, who)) return "the rule does not name you";
  const auto is_theirs = [&](const Voice& voice) { return voice.who.name == who.name; };
  if (std::ranges::any_of(petition.voices, is_theirs)) return "you have spoken about it already";
  switch (StandingOf(guard, petition, now)) {
    case Standing::kExpired:
      return "it has expired";
    case Standing::kRefused:
      return "it was refused already";
    case Standing::kApproved:
    case Standing::kWaiting:
      break;
  }
  return {};
}

}  // namespace dare::policy

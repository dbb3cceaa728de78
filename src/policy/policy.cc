#include "policy/policy.h"

#include <algorithm>
#include <utility>

namespace dare::policy {

bool OperationWord::Holds(kmip::Operation asked) const {
  using enum OperationClass;
  const OperationClass what = ClassOf(asked);
  switch (kind) {
    case Kind::kOne:
      return operation == asked;
    case Kind::kRead:
      return what == kFind || what == kRead;
    case Kind::kUse:
      return what == kUse || what == kUseOrBrought || what == kCompute;
    case Kind::kManage:
      return what == kWithdraw || what == kManage;
    case Kind::kMake:
      return what == kMake || what == kBring;
    case Kind::kAll:
      return what != kUnknown && what != kSession;
  }
  return false;
}

Policy::Policy(std::vector<Domain> domains) : domains_(std::move(domains)) {
  const auto is_default = [](const Domain& domain) { return domain.name == kDefaultDomain; };
  if (std::ranges::none_of(domains_, is_default)) {
    domains_.emplace_back().name = kDefaultDomain;
  }
  default_ =
      static_cast<std::size_t>(std::ranges::find_if(domains_, is_default) - domains_.begin());
  std::size_t number = 0;
  for (Domain& domain : domains_) {
    const auto index = static_cast<std::size_t>(&domain - domains_.data());
    for (const NamePattern& member : domain.members) {
      if (member.exact()) {
        exact_.emplace(member.text(), index);
      } else {
        patterns_.emplace_back(member, index);
      }
    }
    domain.first_grant = number;
    number += domain.grants.size();
    for (Grant& grant : domain.grants) {
      grant.label = (grant.deny ? "deny " : "grant ") + domain.name + "/" + grant.name;
    }
    for (ApprovalRule& rule : domain.approvals) {
      rule.label = "approval " + domain.name + "/" + rule.name;
    }
  }
}

Policy Policy::Closed() {
  Policy policy({});
  policy.closed_ = true;
  return policy;
}

const Domain& Policy::DomainOf(std::string_view principal) const {
  if (const auto found = exact_.find(principal); found != exact_.end()) {
    return domains_[found->second];
  }
  for (const auto& [pattern, index] : patterns_) {
    if (pattern.Matches(principal)) return domains_[index];
  }
  return domains_[default_];
}

const Grant* Policy::GrantAt(std::size_t number) const {
  for (const Domain& domain : domains_) {
    if (number < domain.first_grant + domain.grants.size()) {
      return &domain.grants[number - domain.first_grant];
    }
  }
  return nullptr;
}

bool BelongsTo(const Group& group, const Principal& principal) {
  if (std::ranges::any_of(group.members, [&](const NamePattern& member) {
        return member.Matches(principal.name);
      })) {
    return true;
  }
  return group.certificates &&
         std::ranges::find(principal.groups, group.name) != principal.groups.end();
}

bool IsSubject(const Domain& domain, const Subject& subject, const Principal& principal,
               const RoleSet& roles) {
  switch (subject.kind) {
    case Subject::Kind::kPrincipal:
      return subject.name.Matches(principal.name);
    case Subject::Kind::kRole:
      return roles.Has(subject.role);
    case Subject::Kind::kGroup:
      return std::ranges::any_of(domain.groups, [&](const Group& group) {
        return group.name == subject.name.text() && BelongsTo(group, principal);
      });
  }
  return false;
}

bool IsAmong(const std::vector<NamePattern>& objects, const std::vector<std::string>& object_groups,
             const ObjectFacts* object) {
  if (objects.empty() && object_groups.empty()) return true;
  if (object == nullptr) return false;  // for certain objects is not for the domain as a whole
  const auto named = [&](const NamePattern& pattern) {
    return pattern.Matches(object->id) || std::ranges::any_of(object->names, [&](const auto& name) {
             return pattern.Matches(name);
           });
  };
  const auto grouped = [&](const std::string& group) {
    return std::ranges::find(object->groups, group) != object->groups.end();
  };
  return std::ranges::any_of(objects, named) || std::ranges::any_of(object_groups, grouped);
}

RoleSet RolesOf(const Domain& domain, const Principal& principal) {
  RoleSet named, by_pattern;
  if (principal.administrator) named.Add(Role::kAdministrator);
  for (const RoleHolders& holders : domain.roles) {
    for (const Subject& subject : holders.to) {
      if (subject.kind == Subject::Kind::kPrincipal) {
        if (!subject.name.Matches(principal.name)) continue;
        (subject.name.exact() ? named : by_pattern).Add(holders.role);
      } else if (subject.kind == Subject::Kind::kGroup) {
        for (const Group& group : domain.groups) {
          if (group.name == subject.name.text() && BelongsTo(group, principal)) {
            named.Add(holders.role);
          }
        }
      }
    }
  }
  return named.empty() ? by_pattern : named;
}

}  // namespace dare::policy

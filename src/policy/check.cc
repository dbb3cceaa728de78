#include <algorithm>
#include <map>
#include <set>

#include "policy/approval.h"
#include "policy/document.h"

namespace dare::policy {
namespace {

constexpr std::size_t kMostPatterns = 1024;

// What is known of one principal before it ever asks: nothing of the groups in its certificate.
class Checker {
 public:
  Checker(const Policy& policy, const std::vector<std::string>& administrators,
          const std::string& name)
      : policy_(policy),
        administrators_(administrators.begin(), administrators.end()),
        name_(name) {}

  Result<void> Run() const {
    TRY(CheckMembers());
    for (const Domain& domain : policy_.domains()) {
      for (const Group& group : domain.groups) {
        for (const NamePattern& member : group.members) {
          TRY(CheckBelongs(domain, member, group.line));
        }
      }
      for (const RoleHolders& holders : domain.roles) {
        TRY(CheckSubjects(domain, holders.to, holders.line));
      }
      for (const Grant& grant : domain.grants) {
        TRY(CheckSubjects(domain, grant.to, grant.line));
        TRY(CheckRoleSubjects(grant));
      }
      TRY(CheckPrincipals(domain));
      TRY(CheckCustody(domain));
      for (const ApprovalRule& rule : domain.approvals) TRY(CheckApproval(domain, rule));
    }
    return {};
  }

 private:
  Error At(Line line, const std::string& what) const {
    return Error(Code::kInvalidArgument, name_ + ":" + std::to_string(line.number) + ": " + what);
  }

  // Nobody is in two domains.
  Result<void> CheckMembers() const {
    std::map<std::string, const Domain*> exact;
    std::vector<std::pair<const NamePattern*, const Domain*>> patterns;
    for (const Domain& domain : policy_.domains()) {
      for (const NamePattern& member : domain.members) {
        if (member.exact()) {
          const auto [other, is_new] = exact.emplace(member.text(), &domain);
          if (!is_new && other->second != &domain) return InTwo(member, domain, *other->second);
          continue;
        }
        for (const auto& [pattern, owner] : patterns) {
          if (owner != &domain && member.Overlaps(*pattern)) return InTwo(member, domain, *owner);
        }
        patterns.emplace_back(&member, &domain);
        if (patterns.size() > kMostPatterns) {
          return At(domain.line, "members are 1024 patterns at most, in all domains together");
        }
      }
    }
    return {};
  }
  Error InTwo(const NamePattern& member, const Domain& domain, const Domain& other) const {
    return At(domain.line,
              "member '" + member.text() + "' may be in the domain '" + other.name + "', too");
  }

  // A name that is written out in a domain must be of it, or it has no effect there.
  Result<void> CheckBelongs(const Domain& domain, const NamePattern& name, Line line) const {
    if (!name.exact()) return {};
    const Domain& owner = policy_.DomainOf(name.text());
    if (&owner == &domain) return {};
    return At(line, "'" + name.text() + "' is in the domain '" + owner.name + "', not in '" +
                        domain.name + "'");
  }

  Result<void> CheckSubjects(const Domain& domain, const std::vector<Subject>& subjects,
                             Line line) const {
    for (const Subject& subject : subjects) {
      if (subject.kind == Subject::Kind::kPrincipal) {
        TRY(CheckBelongs(domain, subject.name, line));
      }
      if (subject.kind != Subject::Kind::kGroup) continue;
      const auto is_it = [&](const Group& group) { return group.name == subject.name.text(); };
      if (std::ranges::none_of(domain.groups, is_it)) {
        return At(line, "unknown group '" + subject.name.text() + "' in the domain '" +
                            domain.name + "'");
      }
    }
    return {};
  }

  static bool Exceeds(const Grant& grant, Role role) {
    const auto forbidden = [&](OperationClass what) { return RoleForbids(role, what); };
    const auto any = [&](std::initializer_list<OperationClass> classes) {
      return std::ranges::any_of(classes, forbidden);
    };
    using enum OperationClass;
    return std::ranges::any_of(grant.operations, [&](const OperationWord& word) {
      switch (word.kind) {
        case OperationWord::Kind::kOne:
          return forbidden(ClassOf(word.operation));
        case OperationWord::Kind::kRead:
          return any({kFind, kRead});
        case OperationWord::Kind::kUse:
        case OperationWord::Kind::kAll:
          return any({kUse, kUseOrBrought, kCompute});
        case OperationWord::Kind::kManage:
          return any({kManage, kWithdraw});
        case OperationWord::Kind::kMake:
          return any({kMake, kBring});
      }
      return true;
    });
  }

  Error TooMuch(const Grant& grant, const std::string& who, Role role) const {
    return At(grant.line, "'" + grant.name + "' grants " + who + " what the role " +
                              std::string(RoleName(role)) + " may not do");
  }

  Result<void> CheckRoleSubjects(const Grant& grant) const {
    if (grant.deny) return {};
    for (const Subject& subject : grant.to) {
      if (subject.kind == Subject::Kind::kRole && Exceeds(grant, subject.role)) {
        return TooMuch(grant, "the role", subject.role);
      }
    }
    return {};
  }

  // Everybody whose name the policy knows to be of this domain.
  std::set<std::string> NamesOf(const Domain& domain) const {
    std::set<std::string> names;
    const auto add = [&](const NamePattern& pattern) {
      if (pattern.exact()) names.insert(pattern.text());
    };
    std::ranges::for_each(domain.members, add);
    for (const Group& group : domain.groups) std::ranges::for_each(group.members, add);
    for (const RoleHolders& holders : domain.roles) {
      for (const Subject& subject : holders.to) {
        if (subject.kind == Subject::Kind::kPrincipal) add(subject.name);
      }
    }
    for (const std::string& name : administrators_) {
      if (&policy_.DomainOf(name) == &domain) names.insert(name);
    }
    return names;
  }

  Result<void> CheckPrincipals(const Domain& domain) const {
    for (const std::string& name : NamesOf(domain)) {
      const Principal principal{.name = name, .administrator = administrators_.contains(name)};
      const RoleSet roles = RolesOf(domain, principal);
      if (roles.Contradicts()) {
        std::string list;
        for (const Role role : kRoles) {
          if (roles.Has(role)) list += (list.empty() ? "" : ", ") + std::string(RoleName(role));
        }
        const std::string why =
            principal.administrator ? " (the configuration makes it an administrator)" : "";
        return At(domain.roles.empty() ? domain.line : domain.roles.front().line,
                  "'" + name + "' would hold roles that exclude one another: " + list + why);
      }
      for (const Grant& grant : domain.grants) {
        if (grant.deny) continue;
        const auto names_it = [&](const Subject& subject) {
          return subject.kind == Subject::Kind::kPrincipal && subject.name.exact() &&
                 subject.name.text() == name;
        };
        if (std::ranges::none_of(grant.to, names_it)) continue;
        for (const Role role : kRoles) {
          if (roles.Has(role) && Exceeds(grant, role)) {
            return TooMuch(grant, "'" + name + "'", role);
          }
        }
      }
    }
    return {};
  }

  // The last who could take a key out of use must not be lost.
  Result<void> CheckCustody(const Domain& domain) const {
    const auto can = [](const RoleHolders& holders) {
      return holders.role == Role::kAdministrator || holders.role == Role::kCustodian;
    };
    if (std::ranges::any_of(domain.roles, can)) return {};
    const auto is_here = [&](const std::string& name) {
      return &policy_.DomainOf(name) == &domain;
    };
    if (std::ranges::any_of(administrators_, is_here)) return {};
    return At(domain.line, "the domain '" + domain.name +
                               "' would have neither an administrator nor a custodian: nobody "
                               "could take its keys out of use");
  }

  // Whether it cannot be told who the subject is.
  static bool IsOpen(const Group& group) {
    const auto is_pattern = [](const NamePattern& member) { return !member.exact(); };
    return group.certificates || std::ranges::any_of(group.members, is_pattern);
  }
  static bool IsOpen(const Domain& domain, const Subject& subject) {
    switch (subject.kind) {
      case Subject::Kind::kPrincipal:
        return !subject.name.exact();
      case Subject::Kind::kGroup:
        return std::ranges::any_of(domain.groups, [&](const Group& group) {
          return group.name == subject.name.text() && IsOpen(group);
        });
      case Subject::Kind::kRole:
        break;
    }
    // Administrators by their certificates are not counted on: they may be none.
    return std::ranges::any_of(domain.roles, [&](const RoleHolders& holders) {
      return holders.role == subject.role &&
             std::ranges::any_of(holders.to, [&](const Subject& to) { return IsOpen(domain, to); });
    });
  }

  // How many of `names` have a voice, `asker` not being one of them.
  std::size_t CountVoices(const Domain& domain, const ApprovalRule& rule,
                          const std::set<std::string>& names, const std::string& asker) const {
    return static_cast<std::size_t>(std::ranges::count_if(names, [&](const std::string& name) {
      const Principal who{.name = name, .administrator = administrators_.contains(name)};
      return name != asker && HasVoice({&policy_, &domain, &rule}, who);
    }));
  }

  // A rule that could never be satisfied would be a door without a handle; the policy's own could
  // never be taken out again.
  Result<void> CheckApproval(const Domain& domain, const ApprovalRule& rule) const {
    TRY(CheckSubjects(domain, rule.by, rule.line));
    TRY(CheckSubjects(domain, rule.emergency, rule.line));
    for (const auto* subjects : {&rule.by, &rule.emergency}) {
      for (const Subject& subject : *subjects) {
        if (subject.kind != Subject::Kind::kRole || MayApprove(subject.role)) continue;
        return At(rule.line, "'" + rule.name + "': the role " +
                                 std::string(RoleName(subject.role)) + " approves nothing");
      }
    }
    if (std::ranges::any_of(rule.by, [&](const Subject& by) { return IsOpen(domain, by); })) {
      return {};
    }
    std::set<std::string> names = NamesOf(domain);
    for (const Subject& subject : rule.by) {
      if (subject.kind == Subject::Kind::kPrincipal) names.insert(subject.name.text());
    }
    std::size_t voices = CountVoices(domain, rule, names, "");
    const bool of_service = std::ranges::any_of(rule.acts, IsOfService);
    if (of_service && !administrators_.empty()) {
      // Somebody must be able to ask, and has no voice then.
      voices = 0;
      for (const std::string& asker : administrators_) {
        voices = std::max(voices, CountVoices(domain, rule, names, asker));
      }
    }
    if (voices >= rule.needed) return {};
    return At(rule.line, "'" + rule.name + "' needs the approval of " +
                             std::to_string(rule.needed) + ", and only " + std::to_string(voices) +
                             " could give it" +
                             (of_service ? " beside the administrator who asks" : ""));
  }

  const Policy& policy_;
  const std::set<std::string> administrators_;
  const std::string& name_;
};

}  // namespace

Result<void> CheckPolicy(const Policy& policy, const std::vector<std::string>& administrators,
                         const std::string& name) {
  return Checker(policy, administrators, name).Run();
}

}  // namespace dare::policy

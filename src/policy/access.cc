#include "policy/access.h"

#include <algorithm>
#include <string>

#include "policy/rights.h"

namespace dare::policy {
namespace {

using kmip::Operation;
using enum OperationClass;

constexpr Decision Allow(std::string_view rule) { return {.allowed = true, .rule = rule}; }
constexpr Decision Deny(std::string_view rule) { return {.allowed = false, .rule = rule}; }

constexpr std::int64_t kDay = 24 * 60 * 60;

// Whoever is granted anything on an object may know that it is there; that is not to be taken away
// together with something else.
bool Names(const Grant& grant, Operation operation) {
  if (operation == Operation::kLocate && !grant.deny) return true;
  return std::ranges::any_of(grant.operations,
                             [&](const OperationWord& word) { return word.Holds(operation); });
}

// Days since Monday; 1 January 1970 was a Thursday.
int WeekdayOf(std::int64_t now) {
  const std::int64_t day = now / kDay - (now % kDay < 0 ? 1 : 0);
  return static_cast<int>(((day + 3) % 7 + 7) % 7);
}

bool Within(const Hours& hours, std::int64_t now) {
  const auto minute = static_cast<int>(((now % kDay) + kDay) % kDay / 60);
  if (hours.from < hours.to) return hours.from <= minute && minute < hours.to;
  return minute >= hours.from || minute < hours.to;
}

// What of the grant's conditions does not hold; empty when all do. A look is not a use: it is not
// counted, and what is used up can still be seen.
std::string_view Missing(const Grant& grant, std::size_t number, const Circumstances& facts,
                         Operation operation) {
  const Conditions& when = grant.when;
  // A client whose address is not known is nowhere that is allowed, and everywhere that is denied.
  const bool unknown_is_inside = grant.deny && facts.address.empty();
  if (!when.addresses.empty() && !unknown_is_inside &&
      std::ranges::none_of(when.addresses, [&](const AddressRange& range) {
        return range.Contains(facts.address);
      })) {
    return "not from this address";
  }
  if (when.days != 0 && (when.days >> WeekdayOf(facts.now) & 1) == 0) return "not on this day";
  if (when.hours && !Within(*when.hours, facts.now)) return "not at this hour";
  if (when.until && facts.now >= *when.until) return "its time is over";
  if (operation == Operation::kLocate) return {};
  GrantCount count;
  if (facts.counts != nullptr) {
    const auto found = facts.counts->find(number);
    if (found != facts.counts->end()) count = found->second;
  }
  if (when.uses && count.uses >= *when.uses) return "its uses are used up";
  if (when.rate && count.recent >= when.rate->count) return "its rate is reached";
  return {};
}

// One question to one domain.
class Question {
 public:
  Question(const Domain& domain, const Principal& principal, const ObjectFacts* object,
           const Circumstances& circumstances)
      : domain_(domain),
        principal_(principal),
        object_(object),
        circumstances_(circumstances),
        roles_(RolesOf(domain, principal)) {}

  Decision Judge(Operation operation) const {
    const OperationClass what = ClassOf(operation);
    if (roles_.Contradicts()) return Deny("its roles exclude one another");
    for (const Role role : kRoles) {
      if (roles_.Has(role) && RoleForbids(role, what)) return Deny(ForbiddenBy(role));
    }
    if (const Decision denied = Denial(operation); denied.grant >= 0) return denied;
    if (const Decision given = GivenByRole(what); given.allowed) return given;
    return Granted(operation);
  }

 private:
  static std::string_view ForbiddenBy(Role role) {
    switch (role) {
      case Role::kAdministrator:
        return "an administrator may not use keys";
      case Role::kCustodian:
        return "a custodian may not use keys";
      case Role::kAuditor:
        return "an auditor may only look";
      case Role::kOperator:
        return "an operator has nothing to do with keys";
      case Role::kClient:
        break;
    }
    return "its role forbids it";
  }

  Decision GivenByRole(OperationClass what) const {
    if (roles_.Has(Role::kClient) && object_ != nullptr && object_->owner == principal_.name) {
      return Allow("the owner may do everything");
    }
    // Certify and the like, with what the message brings.
    if (roles_.Has(Role::kClient) && object_ == nullptr && what == kUseOrBrought) {
      return Allow("role client");
    }
    if (roles_.Has(Role::kAdministrator) && RoleGives(Role::kAdministrator, what)) {
      return Allow("role administrator");
    }
    if (roles_.Has(Role::kCustodian) && RoleGives(Role::kCustodian, what)) {
      return Allow("role custodian");
    }
    if (roles_.Has(Role::kAuditor) && RoleGives(Role::kAuditor, what)) {
      return Allow("role auditor");
    }
    if (roles_.Has(Role::kClient) && RoleGives(Role::kClient, what)) return Allow("role client");
    return Deny("nothing allows it");
  }

  bool IsFor(const Grant& grant) const {
    return std::ranges::any_of(grant.to, [&](const Subject& subject) {
      return IsSubject(domain_, subject, principal_, roles_);
    });
  }

  Decision Denial(Operation operation) const {
    for (std::size_t i = 0; i < domain_.grants.size(); ++i) {
      const Grant& grant = domain_.grants[i];
      const std::size_t number = domain_.first_grant + i;
      if (!grant.deny || !Names(grant, operation) || !IsFor(grant) ||
          !IsAmong(grant.objects, grant.object_groups, object_) ||
          !Missing(grant, number, circumstances_, operation).empty()) {
        continue;
      }
      Decision denied = Deny(grant.label);
      denied.grant = static_cast<int>(number);
      return denied;
    }
    return Deny("nothing denies it");
  }

  Decision Granted(Operation operation) const {
    Decision denied = Deny("nothing allows it");
    int closest = 0;
    const auto note = [&](const Grant& grant, int how_close, std::string_view missing) {
      if (how_close <= closest) return;
      closest = how_close;
      denied.nearest = grant.label;
      denied.missing = missing;
    };
    for (std::size_t i = 0; i < domain_.grants.size(); ++i) {
      const Grant& grant = domain_.grants[i];
      const std::size_t number = domain_.first_grant + i;
      if (grant.deny || !IsFor(grant)) continue;
      if (!IsAmong(grant.objects, grant.object_groups, object_)) {
        note(grant, 1, "not for this object");
        continue;
      }
      if (!Names(grant, operation)) {
        note(grant, 2, "not for this operation");
        continue;
      }
      if (const auto missing = Missing(grant, number, circumstances_, operation);
          !missing.empty()) {
        note(grant, 3, missing);
        continue;
      }
      Decision granted = Allow(grant.label);
      granted.grant = static_cast<int>(number);
      return granted;
    }
    return denied;
  }

  const Domain& domain_;
  const Principal& principal_;
  const ObjectFacts* const object_;
  const Circumstances& circumstances_;
  const RoleSet roles_;
};

constexpr bool NeedsObject(OperationClass what) {
  return what == kRead || what == kWithdraw || what == kManage || what == kUse;
}

// What is decided before any domain is asked; nothing where that must be.
const Decision* Beforehand(const Policy& policy, const Principal& principal, OperationClass what) {
  static constexpr Decision kNobody = Deny("nobody may do nothing");
  static constexpr Decision kClosed = Deny("the policy cannot be read");
  static constexpr Decision kNoRule = Deny("no rule for this operation");
  if (principal.name.empty()) return &kNobody;
  if (policy.closed()) return &kClosed;
  if (what == kUnknown) return &kNoRule;
  return nullptr;
}

}  // namespace

Decision Decide(const Policy& policy, const Principal& principal, Operation operation,
                const Circumstances& circumstances, std::size_t first_right) {
  const OperationClass what = ClassOf(operation);
  if (const Decision* decided = Beforehand(policy, principal, what)) return *decided;
  if (NeedsObject(what)) return Deny("the operation needs an object");
  Decision decision = Allow("every principal may ask the service");
  if (what != kSession && what != kFind) {
    decision = Question(policy.DomainOf(principal.name), principal, nullptr, circumstances)
                   .Judge(operation);
  }
  return WithRights(decision, principal, operation, nullptr, first_right);
}

Decision Decide(const Policy& policy, const Principal& principal, Operation operation,
                const ObjectFacts& object, const Circumstances& circumstances,
                std::size_t first_right) {
  const OperationClass what = ClassOf(operation);
  const auto hide = [](Decision decision) {
    decision.hidden = true;
    return decision;
  };
  if (const Decision* decided = Beforehand(policy, principal, what)) return hide(*decided);
  const Domain& domain = policy.DomainOf(principal.name);
  if (&domain != &policy.DomainOf(object.owner)) return hide(Deny("another domain"));
  const Question question(domain, principal, &object, circumstances);
  const bool about_objects = NeedsObject(what) || what == kFind || what == kUseOrBrought;
  const Decision decision =
      about_objects ? question.Judge(operation) : Deny("no rule for this operation");
  if (!decision.allowed && !question.Judge(Operation::kLocate).allowed) return hide(decision);
  return WithRights(decision, principal, operation, &object, first_right);
}

bool MaySeeOthers(const Policy& policy, const Principal& principal) {
  const Domain& domain = policy.DomainOf(principal.name);
  const RoleSet roles = RolesOf(domain, principal);
  if (roles.Has(Role::kAdministrator) || roles.Has(Role::kCustodian) || roles.Has(Role::kAuditor)) {
    return true;
  }
  return std::ranges::any_of(domain.grants, [&](const Grant& grant) {
    return !grant.deny && std::ranges::any_of(grant.to, [&](const Subject& subject) {
      return IsSubject(domain, subject, principal, roles);
    });
  });
}

bool NeedsNames(const Policy& policy, const Principal& principal) {
  return !policy.DomainOf(principal.name).grants.empty();
}

}  // namespace dare::policy

#include "policy/decision.h"

#include "policy/operation_class.h"
#include "policy/rights.h"

namespace dare::policy {
namespace {

using kmip::Operation;

// What an operation reaches for.
enum class Reach {
  kUnknown,
  kService,  // no stored object: the server itself, or an object that is being made
  kAnyUse,   // what the message brings, or objects, each of which it must be allowed to use
  kFind,     // stored objects, each judged by itself before it is named
  kOversee,  // an object, without its key: reading attributes, taking the object out of use
  kUse,      // an object, its key or what it stands for
};

Reach ReachOf(Operation operation) {
  switch (ClassOf(operation)) {
    case OperationClass::kSession:
    case OperationClass::kOwnRules:
    case OperationClass::kMake:
    case OperationClass::kBring:
    case OperationClass::kCompute:
      return Reach::kService;
    case OperationClass::kUseOrBrought:
      return Reach::kAnyUse;
    case OperationClass::kFind:
      return Reach::kFind;
    case OperationClass::kRead:
    case OperationClass::kWithdraw:
      return Reach::kOversee;
    case OperationClass::kManage:
    case OperationClass::kUse:
      return Reach::kUse;
    case OperationClass::kUnknown:
      break;
  }
  return Reach::kUnknown;
}

constexpr Decision Allow(std::string_view rule) { return {.allowed = true, .rule = rule}; }
constexpr Decision Deny(std::string_view rule) { return {.allowed = false, .rule = rule}; }

constexpr Decision kNobody = Deny("nobody may do nothing");
constexpr Decision kNoRule = Deny("no rule for this operation");

}  // namespace

Decision Decide(const Principal& principal, kmip::Operation operation, std::size_t first_right) {
  if (principal.name.empty()) return kNobody;
  switch (ReachOf(operation)) {
    case Reach::kService:
    case Reach::kAnyUse:
    case Reach::kFind:
      return WithRights(Allow("every principal may ask the service"), principal, operation, nullptr,
                        first_right);
    case Reach::kOversee:
    case Reach::kUse:
      return Deny("the operation needs an object");
    case Reach::kUnknown:
      break;
  }
  return kNoRule;
}

Decision Decide(const Principal& principal, kmip::Operation operation, const ObjectFacts& object,
                std::size_t first_right) {
  if (principal.name.empty()) return kNobody;
  const Reach reach = ReachOf(operation);
  if (reach == Reach::kUnknown || reach == Reach::kService) return kNoRule;
  const auto with_rights = [&](const Decision& decision) {
    return WithRights(decision, principal, operation, &object, first_right);
  };
  if (object.owner == principal.name) return with_rights(Allow("the owner may do everything"));
  if (principal.administrator) {
    const bool use = reach == Reach::kUse || reach == Reach::kAnyUse;
    return use ? Deny("an administrator may not use keys of others")
               : with_rights(Allow("an administrator may oversee any object"));
  }
  return Deny("not the owner");
}

}  // namespace dare::policy

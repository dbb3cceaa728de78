#include "policy/decision.h"

#include <algorithm>

namespace dare::policy {
namespace {

using kmip::Operation;

// What an operation reaches for. An operation without a line here is denied to everybody: adding
// one to the server starts with deciding who may use it.
enum class Reach {
  kUnknown,
  kService,  // no stored object: the server itself, or an object that is being made
  kAnyUse,   // what the message brings, or objects, each of which it must be allowed to use
  kFind,     // stored objects, each judged by itself before it is named
  kOversee,  // an object, without its key: reading attributes, taking the object out of use
  kUse,      // an object, its key or what it stands for
};

constexpr Reach ReachOf(Operation operation) {
  switch (operation) {
    case Operation::kQuery:
    case Operation::kDiscoverVersions:
    case Operation::kPing:
    case Operation::kPKCS_11:
    case Operation::kCreate:
    case Operation::kCreateKeyPair:
    case Operation::kCreateSplitKey:  // which opens the key to be split as Get does
    case Operation::kRegister:
    case Operation::kImport:
    case Operation::kRNGRetrieve:
    case Operation::kRNGSeed:
    case Operation::kHash:
    case Operation::kLogin:
    case Operation::kLogout:
    case Operation::kDelegatedLogin:
    case Operation::kLog:
    case Operation::kInterop:
    case Operation::kPoll:
    case Operation::kCancel:
    case Operation::kProcess:
    case Operation::kQueryAsynchronousRequests:
    case Operation::kSetEndpointRole:
    case Operation::kSetDefaults:
    case Operation::kSetConstraints:
    case Operation::kGetConstraints:
      return Reach::kService;
    case Operation::kCertify:
    case Operation::kReCertify:
    case Operation::kValidate:
      return Reach::kAnyUse;
    case Operation::kLocate:
      return Reach::kFind;
    case Operation::kGetAttributes:
    case Operation::kGetAttributeList:
    case Operation::kRevoke:
    case Operation::kDestroy:
    case Operation::kArchive:
    case Operation::kRecover:  // what is archived can be revoked only after it
      return Reach::kOversee;
    case Operation::kGet:
    case Operation::kExport:
    case Operation::kCheck:
    case Operation::kObtainLease:
    case Operation::kGetUsageAllocation:
    case Operation::kAddAttribute:
    case Operation::kModifyAttribute:
    case Operation::kDeleteAttribute:
    case Operation::kSetAttribute:
    case Operation::kAdjustAttribute:
    case Operation::kActivate:
    case Operation::kDeactivate:
    case Operation::kReKey:
    case Operation::kReKeyKeyPair:
    case Operation::kDeriveKey:
    case Operation::kJoinSplitKey:
    case Operation::kEncrypt:
    case Operation::kDecrypt:
    case Operation::kSign:
    case Operation::kSignatureVerify:
    case Operation::kMAC:
    case Operation::kMACVerify:
      return Reach::kUse;
    default:
      return Reach::kUnknown;
  }
}

constexpr Decision Allow(std::string_view rule) { return {.allowed = true, .rule = rule}; }
constexpr Decision Deny(std::string_view rule) { return {.allowed = false, .rule = rule}; }

bool Holds(const std::vector<std::string>& list, std::string_view wanted) {
  return std::ranges::find(list, wanted) != list.end();
}

bool Grants(const Right& right, Operation operation, const ObjectFacts* object) {
  if (right.operations &&
      std::ranges::find(*right.operations, operation) == right.operations->end())
    return false;
  // A right to certain objects is none to the service as a whole.
  if (object == nullptr) return !right.objects && !right.groups;
  if (right.objects && !Holds(*right.objects, object->id)) return false;
  if (!right.groups) return true;
  return std::ranges::any_of(object->groups,
                             [&](const std::string& group) { return Holds(*right.groups, group); });
}

// `decision`, made without regard to rights, as far as the principal's rights let it stand.
Decision WithRights(Decision decision, const Principal& principal, Operation operation,
                    const ObjectFacts* object, std::size_t first) {
  if (!decision.allowed || !principal.rights) return decision;
  for (std::size_t i = first; i < principal.rights->size(); ++i) {
    if (!Grants((*principal.rights)[i], operation, object)) continue;
    decision.right = static_cast<int>(i);
    return decision;
  }
  return {.allowed = false, .rule = "the ticket grants no such right", .beyond_rights = true};
}

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

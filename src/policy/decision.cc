#include "policy/decision.h"

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
    case Operation::kRegister:
    case Operation::kImport:
    case Operation::kRNGRetrieve:
    case Operation::kRNGSeed:
    case Operation::kHash:
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

constexpr Decision Allow(std::string_view rule) { return {true, rule}; }
constexpr Decision Deny(std::string_view rule) { return {false, rule}; }

constexpr Decision kNobody = Deny("nobody may do nothing");
constexpr Decision kNoRule = Deny("no rule for this operation");

}  // namespace

Decision Decide(const Principal& principal, kmip::Operation operation) {
  if (principal.name.empty()) return kNobody;
  switch (ReachOf(operation)) {
    case Reach::kService:
    case Reach::kAnyUse:
    case Reach::kFind:
      return Allow("every principal may ask the service");
    case Reach::kOversee:
    case Reach::kUse:
      return Deny("the operation needs an object");
    case Reach::kUnknown:
      break;
  }
  return kNoRule;
}

Decision Decide(const Principal& principal, kmip::Operation operation, const ObjectFacts& object) {
  if (principal.name.empty()) return kNobody;
  const Reach reach = ReachOf(operation);
  if (reach == Reach::kUnknown || reach == Reach::kService) return kNoRule;
  if (object.owner == principal.name) return Allow("the owner may do everything");
  if (principal.administrator) {
    const bool use = reach == Reach::kUse || reach == Reach::kAnyUse;
    return use ? Deny("an administrator may not use keys of others")
               : Allow("an administrator may oversee any object");
  }
  return Deny("not the owner");
}

}  // namespace dare::policy

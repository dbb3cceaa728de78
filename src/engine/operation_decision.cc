// What the policy says to an operation, and what it takes of rights, grants and approvals.
#include <algorithm>

#include "engine/access_control.h"
#include "engine/approval_desk.h"
#include "engine/automatic_rotation.h"
#include "engine/operation.h"
#include "engine/policy_facts.h"
#include "engine/sessions.h"
#include "kmip/reject.h"
#include "policy/access.h"
#include "policy/approval.h"
#include "policy/decision.h"

namespace dare::engine {

using kmip::Reject;
using kmip::ResultReason;

policy::Decision OperationContext::Judge(kmip::Operation operation, const StoredObject* stored,
                                         std::size_t first_right) const {
  const policy::Principal& who = caller_.principal;
  const policy::Circumstances circumstances{
      .address = caller_.address, .now = now_, .counts = &counts_};
  if (stored == nullptr) {
    return policy_ ? policy::Decide(*policy_, who, operation, circumstances, first_right)
                   : policy::Decide(who, operation, first_right);
  }
  policy::ObjectFacts facts{.owner = stored->object.owner};
  if (who.rights || (policy_ && policy::NeedsNames(*policy_, who))) {
    TakeNames(stored->object, facts);
  }
  return policy_ ? policy::Decide(*policy_, who, operation, facts, circumstances, first_right)
                 : policy::Decide(who, operation, facts, first_right);
}

// Once for an operation, however many decisions it needs.
bool OperationContext::TakeRight(int right) {
  if (std::ranges::find(rights_taken_, right) != rights_taken_.end()) return true;
  if (!use_.TakeRight(static_cast<std::size_t>(right))) return false;
  rights_taken_.push_back(right);
  return true;
}

Result<bool> OperationContext::TakeGrant(int number) {
  if (std::ranges::find(grants_taken_, number) != grants_taken_.end()) return true;
  const auto index = static_cast<std::size_t>(number);
  const policy::Grant& grant = *policy_->GrantAt(index);
  policy::GrantCount& count = counts_[index];
  // A draft may be thrown away, and counts nothing.
  if (grant.when.uses || (changes_.drafted && grant.when.rate)) TRY(RequireWriter());
  if (grant.when.uses) {
    store::Transaction* transaction = TRY(Writable());
    count.uses = TRY(parts_.access.Uses(*transaction, grant));
    if (count.uses >= *grant.when.uses) return false;
    TRY(parts_.access.SaveUses(*transaction, grant, count.uses + 1));
  }
  if (grant.when.rate && !parts_.access.TakeRate(grant)) {
    count.recent = grant.when.rate->count;
    return false;
  }
  grants_taken_.push_back(number);
  return true;
}

Result<void> OperationContext::Decide(kmip::Operation operation, const StoredObject* stored) {
  if (caller_.is_server) {
    decided_ = true;
    rule_ = AutomaticRotation::kRule;
    return {};
  }
  bool used_up = false;
  for (std::size_t first_right = 0;;) {
    const policy::Decision decision = Judge(operation, stored, first_right);
    decided_ = true;
    rule_ = decision.rule;
    if (!decision.allowed) return Refusal(decision, used_up);
    // A look is not a use.
    const bool counts = decision.grant >= 0 && operation != kmip::Operation::kLocate;
    if (counts && !TRY(TakeGrant(decision.grant))) continue;
    if (decision.right < 0 || TakeRight(decision.right)) return {};
    used_up = true;
    first_right = static_cast<std::size_t>(decision.right) + 1;
  }
}

Error OperationContext::Refusal(const policy::Decision& decision, bool used_up) {
  denied_ = true;
  if (!decision.nearest.empty()) {
    rule_ += " (" + std::string(decision.nearest) + ": " + std::string(decision.missing) + ")";
  }
  if (decision.hidden) return Reject(ResultReason::kObjectNotFound, "no such object");
  if (used_up) return Reject(ResultReason::kUsageLimitExceeded, "the right is used up");
  return Reject(
      decision.beyond_rights ? ResultReason::kNotAuthorised : ResultReason::kPermissionDenied,
      "not allowed");
}

Result<void> OperationContext::Authorise() { return Decide(operation_, nullptr); }

bool OperationContext::MaySee(const StoredObject& stored) const {
  return Judge(operation_, &stored, 0).allowed;
}

bool OperationContext::MaySeeOthers() const {
  const policy::Principal& who = caller_.principal;
  return policy_ ? policy::MaySeeOthers(*policy_, who) : who.administrator;
}

bool OperationContext::May(kmip::Operation operation) const {
  return !policy_ || Judge(operation, nullptr, 0).allowed;
}

namespace {

// What is everybody's to know needs nobody's approval to be seen.
bool IsPublic(kmip::ObjectType type) {
  return type == kmip::ObjectType::kPublicKey || type == kmip::ObjectType::kCertificate ||
         type == kmip::ObjectType::kCertificateRequest || type == kmip::ObjectType::kTemplate;
}

std::string NoteOn(const policy::ObjectFacts& facts) {
  std::string note = "owner " + std::string(facts.owner);
  for (const std::string& name : facts.names) note += ", name " + name;
  for (const std::string& group : facts.groups) note += ", group " + group;
  return note;
}

}  // namespace

Result<void> OperationContext::RequireApproval(policy::Act act, const StoredObject& stored,
                                               const std::string& how) {
  if (!policy_ || (act != policy::Act::kDestroy && IsPublic(stored.object.type))) return {};
  policy::ObjectFacts facts{.owner = stored.object.owner};
  TakeNames(stored.object, facts);
  const policy::Guard guard = policy::GuardOf(*policy_, act, facts);
  if (!guard) return {};
  TRY(RequireWriter());
  store::Transaction* transaction = TRY(Writable());
  rule_ = guard.rule->label;
  if (parts_.sessions.approvals == nullptr) {
    denied_ = true;
    return Reject(ResultReason::kPermissionDenied, "this needs an approval that nobody can give");
  }
  ApprovalDesk::Ruling ruling =
      TRY(parts_.sessions.approvals->Use(*transaction, {.guard = guard,
                                                        .act = act,
                                                        .requester = caller_.principal.name,
                                                        .subject = stored.object.id,
                                                        .how = how,
                                                        .note = NoteOn(facts)}));
  if (ruling.granted) {
    note_ = std::move(ruling.message);
    return {};
  }
  denied_ = true;
  if (ruling.to_register) {
    left_request_ = std::make_shared<ApprovalRequest>(*std::move(ruling.to_register));
  }
  return Reject(ResultReason::kPermissionDenied, std::move(ruling.message));
}

}  // namespace dare::engine

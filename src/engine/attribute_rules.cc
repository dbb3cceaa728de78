#include "engine/attribute_rules.h"

#include <string>

#include "engine/attribute_values.h"
#include "engine/lifecycle.h"
#include "engine/protection_storage.h"
#include "engine/refusal.h"
#include "engine/vendor_attributes.h"
#include "kmip/attribute_table.h"
#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::AttributeFlags;
using kmip::AttributeReference;
using kmip::AttributeSet;
using kmip::Change;
using kmip::Reject;
using kmip::ResultReason;
using kmip::State;
using kmip::Tag;

std::string NameOf(const AttributeReference& reference) {
  if (reference.tag == Tag::kAttribute) return reference.vendor + "-" + reference.name;
  return std::string(kmip::TagSpecName(reference.tag));
}

// The tables of 2.1 name two reasons for the same thing, by operation.
Error ReadOnly(AttributeAction action, const AttributeReference& reference) {
  const bool adds = action == AttributeAction::kAdd || action == AttributeAction::kSet ||
                    action == AttributeAction::kAdjust;
  return Reject(adds ? ResultReason::kReadOnlyAttribute : ResultReason::kAttributeReadOnly,
                NameOf(reference) + " may not be changed so by a client");
}

Error WrongState(const AttributeReference& reference) {
  return Reject(ResultReason::kWrongKeyLifecycleState,
                "the state of the object forbids a change of " + NameOf(reference));
}

// Total and Unit may change until something was taken.
bool IsAllocated(const AttributeSet& attributes) {
  const kmip::Attribute* limits = attributes.Find(Tag::kUsageLimits);
  if (limits == nullptr) return false;
  const auto read = ReadUsageLimits(*limits);
  return !read || read->count != read->total;
}

Result<void> CheckChange(Change change, AttributeAction action, const AttributeReference& reference,
                         const AttributeSet& attributes, std::int64_t now) {
  const State state = EffectiveState(attributes, now);
  switch (change) {
    case Change::kYes:
      return {};
    case Change::kPreActive:
      if (state == State::kPreActive) return {};
      return WrongState(reference);
    case Change::kPreActiveOrActive:
    case Change::kUntilReached: {
      if (state != State::kPreActive && state != State::kActive) return WrongState(reference);
      const auto date = attributes.Date(reference.tag);
      if (change == Change::kUntilReached && date && *date <= now) return WrongState(reference);
      return {};
    }
    case Change::kUntilAllocated:
      if (!IsAllocated(attributes)) return {};
      return ReadOnly(action, reference);
    case Change::kNo:
    case Change::kOwn:
    case Change::kIfLeftOut:
    case Change::kIfAbsent:
      return ReadOnly(action, reference);
  }
  return ReadOnly(action, reference);
}

// Adding: who sets it first, and the states in which it may still change.
Result<void> CheckFirstValue(AttributeAction action, const AttributeReference& reference,
                             const AttributeFlags& flags, const AttributeSet& attributes,
                             std::int64_t now) {
  if (flags.initially_set_by == kmip::Setter::kServer) return ReadOnly(action, reference);
  if (flags.modifiable_by_client == Change::kNo) return {};
  return CheckChange(flags.modifiable_by_client, action, reference, attributes, now);
}

}  // namespace

bool MayRepeat(const AttributeReference& reference) {
  if (reference.tag == Tag::kAttribute) return true;
  const kmip::AttributeRule* rule = kmip::AttributeByTag(reference.tag);
  return rule != nullptr && rule->may_repeat();
}

bool MayBeGiven(const AttributeReference& reference, Origin origin, kmip::ProtocolVersion version) {
  //= kmip-2.1 6.1.25 Import
  //# The attribute rules for each attribute for "Initially set by" and "When implicitly set" SHALL
  //# NOT be enforced
  if (origin == Origin::kImported) return true;
  switch (reference.tag) {
    case Tag::kAttribute:
      return reference.vendor != kServerVendor;
    case Tag::kCryptographicAlgorithm:
    case Tag::kCryptographicLength:
    case Tag::kObjectType:
      return true;  // set by the server, from what the client asks for
    case Tag::kCertificateType:
      return true;  // Certify without a request names it so
    case Tag::kCertificateLength:
    case Tag::kDigitalSignatureAlgorithm:
      //= kmip-1.4 4.3 Register, Register Attribute Requirements
      //# Certificate Length: Yes. Only applies to Certificates.
      //# Digital Signature Algorithm: Yes, MAY be omitted only if this information is
      //# encapsulated in the Certificate object
    case Tag::kOpaqueDataType:
      return origin == Origin::kRegistered;
    case Tag::kOriginalCreationDate:
      if (origin == Origin::kGenerated) return false;
      break;
    default:
      break;
  }
  const AttributeFlags* flags = kmip::RulesFor(reference.tag, version);
  return flags != nullptr && flags->initially_set_by != kmip::Setter::kServer;
}

Result<void> CheckAction(AttributeAction action, const AttributeReference& reference,
                         const AttributeSet& attributes, std::int64_t now,
                         kmip::ProtocolVersion version) {
  if (IsDestroyed(EffectiveState(attributes, now))) {
    return Reject(ResultReason::kWrongKeyLifecycleState,
                  "the attributes of a destroyed object are kept as they were");
  }
  if (reference.tag == Tag::kAttribute) {
    // A wish about how a key is kept is heard once, when the key is made.
    if (reference.vendor == kServerVendor || IsStorageWish(reference)) {
      return ReadOnly(action, reference);
    }
    return {};
  }
  const AttributeFlags* flags = kmip::RulesFor(reference.tag, version);
  if (flags == nullptr) {
    return Reject(ResultReason::kInvalidAttribute, "no such attribute in this version of KMIP");
  }
  const bool present = attributes.Has(reference.tag);
  switch (action) {
    case AttributeAction::kDelete:
      return CheckChange(flags->deletable_by_client, action, reference, attributes, now);
    case AttributeAction::kModify:
      return CheckChange(flags->modifiable_by_client, action, reference, attributes, now);
    case AttributeAction::kAdd:
      return CheckFirstValue(action, reference, *flags, attributes, now);
    case AttributeAction::kSet:
    case AttributeAction::kAdjust:
      if (!present) return CheckFirstValue(action, reference, *flags, attributes, now);
      return CheckChange(flags->modifiable_by_client, action, reference, attributes, now);
  }
  return ReadOnly(action, reference);
}

}  // namespace dare::engine

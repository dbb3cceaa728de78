#include "engine/operations/re_key.h"

#include <algorithm>
#include <utility>

#include "engine/attribute_values.h"
#include "engine/key_generation.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/refusal.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeReference;
using kmip::AttributeSet;
using kmip::CryptographicAlgorithm;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr Tag kDates[] = {Tag::kActivationDate, Tag::kProcessStartDate, Tag::kProtectStopDate,
                          Tag::kDeactivationDate};

// What a replacement does not take over from the key it replaces: kmip-2.1 table 304 (kmip-1.4
// table 173), and everything that MakeObject sets anew.
constexpr Tag kNotCopied[] = {Tag::kUniqueIdentifier,
                              Tag::kShortUniqueIdentifier,
                              Tag::kObjectType,
                              Tag::kInitialDate,
                              Tag::kDestroyDate,
                              Tag::kCompromiseOccurrenceDate,
                              Tag::kCompromiseDate,
                              Tag::kRevocationReason,
                              Tag::kState,
                              Tag::kDigest,
                              Tag::kLink,
                              Tag::kLastChangeDate,
                              Tag::kRandomNumberGenerator,
                              Tag::kOriginalCreationDate,
                              Tag::kArchiveDate,
                              Tag::kFresh,
                              Tag::kLeaseTime,
                              Tag::kKeyFormatType,
                              Tag::kKeyValuePresent,
                              Tag::kKeyValueLocation,
                              Tag::kAlwaysSensitive,
                              Tag::kNeverExtractable,
                              Tag::kProtectionStorageMask};

Result<void> CheckMayBeReplaced(const StoredObject& stored, const OperationContext& context) {
  const kmip::ProtocolVersion version = context.version();
  const AttributeSet& attributes = stored.object.attributes;
  if (stored.object.type != ObjectType::kSymmetricKey) {
    return RejectIn(version, ResultReason::kPermissionDenied, ResultReason::kInvalidObjectType,
                    "only symmetric keys can be re-keyed");
  }
  if (IsDestroyed(EffectiveState(attributes, context.now()))) {
    return RejectIn(version, ResultReason::kPermissionDenied, ResultReason::kObjectDestroyed,
                    "the key was destroyed");
  }
  if (!attributes.Boolean(Tag::kKeyValuePresent).value_or(true)) {
    return Reject(ResultReason::kKeyValueNotPresent, "the key value is not on this server");
  }
  return {};
}

AttributeSet Copied(const AttributeSet& existing) {
  AttributeSet copy;
  for (const Attribute& attribute : existing.all()) {
    if (std::ranges::find(kNotCopied, attribute.tag) != std::end(kNotCopied)) continue;
    copy.Add(attribute);
  }
  //= kmip-1.4 4.4 Re-key
  //# The Total value is copied from the existing key, and the Count value [...] is set to the Total
  //# value
  if (const Attribute* limits = copy.Find(Tag::kUsageLimits)) {
    if (auto read = ReadUsageLimits(*limits)) {
      read->count = read->total;
      copy.Set(MakeUsageLimits(*read));
    }
  }
  return copy;
}

// kmip-2.1 table 303: Activation Date (AT2) = IT2 + Offset; the other dates move by AT2 - AT1.
Result<void> ShiftDates(AttributeSet& attributes, std::uint32_t offset,
                        const OperationContext& context) {
  const auto activation = attributes.Date(Tag::kActivationDate);
  const std::int64_t next = context.now() + offset;
  for (const Tag tag : kDates) {
    const auto date = attributes.Date(tag);
    if (tag == Tag::kActivationDate || !date) continue;
    if (!activation) {
      return RejectIn(context.version(), ResultReason::kIllegalOperation,
                      ResultReason::kInvalidField,
                      "an Offset, but the key has no Activation Date to count from");
    }
    std::int64_t shifted = 0;
    std::int64_t distance = 0;
    if (__builtin_sub_overflow(next, *activation, &distance) ||
        __builtin_add_overflow(*date, distance, &shifted)) {
      return Reject(ResultReason::kInvalidField, "the Offset leads out of time");
    }
    attributes.Set(Attribute::OfDate(tag, shifted));
  }
  attributes.Set(Attribute::OfDate(Tag::kActivationDate, next));
  return {};
}

// What the request asks for takes the place of what was copied, kind by kind.
void Override(AttributeSet& attributes, const AttributeSet& wanted) {
  std::vector<AttributeReference> replaced;
  for (const Attribute& attribute : wanted.all()) {
    const AttributeReference reference = kmip::ReferenceTo(attribute);
    if (std::ranges::find(replaced, reference) == replaced.end()) {
      replaced.push_back(reference);
      const std::vector<Attribute> all = attributes.all();
      for (const Attribute& old : all) {
        if (reference.Names(old)) attributes.Remove(reference, old.index);
      }
    }
    attributes.Add(attribute);
  }
}

Result<AttributeSet> ReplacementAttributes(const kmip::ReKeyRequest& request,
                                           const StoredObject& stored,
                                           const OperationContext& context) {
  const AttributeSet wanted = TRY(CheckedAttributes(request.attributes, ObjectType::kSymmetricKey,
                                                    Origin::kGenerated, context));
  AttributeSet attributes = Copied(stored.object.attributes);
  if (request.offset) {
    if (std::ranges::any_of(kDates, [&](Tag tag) { return wanted.Has(tag); })) {
      return Reject(ResultReason::kInvalidMessage, "both an Offset and dates are given");
    }
    TRY(ShiftDates(attributes, *request.offset, context));
  }
  Override(attributes, wanted);
  if (attributes.Enumeration(Tag::kCryptographicAlgorithm) !=
      stored.object.attributes.Enumeration(Tag::kCryptographicAlgorithm)) {
    return Reject(ResultReason::kInvalidField, "a replacement key is of the same algorithm");
  }
  TRY(CheckDates(attributes, context.version()));
  TRY(CheckAmount(attributes, context.version()));
  TRY(CheckQuantumSafe(attributes));
  attributes.Add(Attribute::OfLink(static_cast<std::uint32_t>(LinkType::kReplacedObjectLink),
                                   stored.object.id));
  return attributes;
}

Result<SecretBytes> ReplacementKey(const AttributeSet& attributes,
                                   const OperationContext& context) {
  const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  const auto bits = attributes.Integer(Tag::kCryptographicLength);
  if (!algorithm || !bits) return Error(Code::kInternal, "a key without algorithm or length");
  TRY(CheckSymmetricKey(context.algorithms(), *algorithm, *bits, true));
  return GenerateSymmetricKey(*algorithm, *bits, context.random());
}

// The replaced key gives its names away and points to its successor.
AttributeSet ReplacedAttributes(const StoredObject& stored, const std::string& successor,
                                std::int64_t now) {
  AttributeSet attributes = stored.object.attributes;
  SettleState(attributes, now);
  attributes.RemoveAll(Tag::kName);
  attributes.Add(
      Attribute::OfLink(static_cast<std::uint32_t>(LinkType::kReplacementObjectLink), successor));
  return attributes;
}

}  // namespace

Result<kmip::ReKeyResponse> ReKey(const kmip::ReKeyRequest& request, OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  TRY(CheckMayBeReplaced(*stored, context));
  TRY(CheckProtectionStorage(request.protection_storage_masks));
  AttributeSet attributes = TRY(ReplacementAttributes(request, *stored, context));
  SecretBytes material = TRY(ReplacementKey(attributes, context));
  const kmip::ManagedObject replacement =
      TRY(MakeObject(ObjectType::kSymmetricKey, Origin::kGenerated, std::move(attributes),
                     std::move(material), context));
  TRY(context.Update(*stored, ReplacedAttributes(*stored, replacement.id, context.now())));
  TRY(InsertObject(replacement, context));
  return kmip::ReKeyResponse{.id = replacement.id};
}

}  // namespace dare::engine

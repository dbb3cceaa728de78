#include "engine/replacement.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "engine/attribute_values.h"
#include "engine/refusal.h"
#include "engine/rotation_rule.h"
#include "engine/vendor_attributes.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeReference;
using kmip::AttributeSet;
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
                              Tag::kProtectionStorageMask,
                              Tag::kRotateDate,
                              Tag::kRotateGeneration,
                              Tag::kRotateLatest};

AttributeSet Copied(const AttributeSet& existing) {
  AttributeSet copy;
  for (const Attribute& attribute : existing.all()) {
    if (std::ranges::find(kNotCopied, attribute.tag) != std::end(kNotCopied)) continue;
    copy.Add(attribute);
  }
  RemoveServerAttributes(copy);
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

//= kmip-2.1 4.50 Rotate Generation
//# The count from zero of the number of automatic rotates or ReKey, ReKeyKeyPair, or ReCertify
//# operations that have occurred in order to create this Managed Object.
void CountRotation(const AttributeSet& existing, AttributeSet& next, std::int64_t now) {
  const std::int32_t generation = existing.Integer(Tag::kRotateGeneration).value_or(0);
  next.Set(Attribute::OfInteger(
      Tag::kRotateGeneration,
      generation == std::numeric_limits<std::int32_t>::max() ? generation : generation + 1));
  next.Set(Attribute::OfDate(Tag::kRotateDate, now));
  next.Set(Attribute::OfBoolean(Tag::kRotateLatest, true));
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

}  // namespace

Result<AttributeSet> InheritAttributes(const AttributeSet& existing, const AttributeSet& wanted,
                                       std::optional<std::uint32_t> offset,
                                       const OperationContext& context) {
  AttributeSet attributes = Copied(existing);
  CountRotation(existing, attributes, context.now());
  if (offset) {
    if (std::ranges::any_of(kDates, [&](Tag tag) { return wanted.Has(tag); })) {
      return Reject(ResultReason::kInvalidMessage, "both an Offset and dates are given");
    }
    TRY(ShiftDates(attributes, *offset, context));
  }
  Override(attributes, wanted);
  return attributes;
}

Result<void> CheckOccasion(const StoredObject& stored, const OperationContext& context) {
  if (!context.caller().is_server) return {};
  if (RotationIsDue(stored.object.attributes, context.now(), 0)) return {};
  return Reject(ResultReason::kWrongKeyLifecycleState, "no rotation is due any more");
}

}  // namespace dare::engine

#include "engine/locate_match.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/attribute_values.h"
#include "engine/lifecycle.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::State;
using kmip::Tag;

bool IsDate(const Attribute& attribute) { return attribute.View().type == ttlv::Type::kDateTime; }

// Each member given in `wanted` stands in `candidate` too, at any place, with the same value.
bool ContainsFields(const ttlv::Item& candidate, const ttlv::Item& wanted) {
  auto fields = wanted.Members();
  if (!fields || candidate.type != ttlv::Type::kStructure) return false;
  while (!fields->AtEnd()) {
    const auto field = fields->Next();
    if (!field) return false;
    auto members = candidate.Members();
    bool found = false;
    while (members && !members->AtEnd() && !found) {
      const auto member = members->Next();
      if (!member) return false;
      found = std::ranges::equal(member->whole, field->whole);
    }
    if (!found) return false;
  }
  return true;
}

bool LimitsReach(const Attribute& candidate, const Attribute& wanted) {
  const auto has = ReadUsageLimits(candidate);
  auto members = wanted.View().Members();
  if (!has || !members) return false;
  while (!members->AtEnd()) {
    const auto field = members->Next();
    if (!field) return false;
    bool enough = false;
    if (field->tag == Tag::kUsageLimitsUnit) {
      const auto unit = field->AsEnumeration();
      enough = unit && *unit == static_cast<std::uint32_t>(has->unit);
    } else {
      const auto number = field->AsLongInteger();
      const bool total = field->tag == Tag::kUsageLimitsTotal;
      enough = number && *number <= (total ? has->total : has->count);
    }
    if (!enough) return false;
  }
  return true;
}

bool InstanceMatches(const Attribute& instance, const Attribute& wanted) {
  if (wanted.tag == Tag::kUsageLimits) return LimitsReach(instance, wanted);
  if (wanted.tag != Tag::kAttribute && wanted.View().type == ttlv::Type::kStructure) {
    return ContainsFields(instance.View(), wanted.View());
  }
  return instance == wanted;
}

}  // namespace

Result<LocateMatch> LocateMatch::Of(const kmip::LocateRequest& request) {
  for (const Attribute& wanted : request.attributes.all()) {
    if (IsDate(wanted) && request.attributes.Count({wanted.tag, "", ""}) > 2) {
      return kmip::Reject(kmip::ResultReason::kInvalidField, "a date is given more than twice");
    }
  }
  return LocateMatch(request);
}

bool LocateMatch::wants_destroyed() const {
  return (request_.storage_status_mask.value_or(0) &
          static_cast<std::int32_t>(kmip::StorageStatusMask::kDestroyedStorage)) != 0;
}

//= kmip-2.1 6.1.28 Locate
//# If omitted, then only on-line objects SHALL be considered
bool LocateMatch::StorageMatches(const AttributeSet& candidate, State state) const {
  if (IsDestroyed(state)) return wants_destroyed();
  const bool archived = IsArchived(candidate);
  if (!request_.storage_status_mask) return !archived;
  const auto bit = archived ? kmip::StorageStatusMask::kArchivalStorage
                            : kmip::StorageStatusMask::kOnLineStorage;
  return (*request_.storage_status_mask & static_cast<std::int32_t>(bit)) != 0;
}

bool LocateMatch::MatchesDate(const Attribute& wanted, const AttributeSet& candidate) const {
  //= kmip-2.1 6.1.28 Locate
  //# If a Date attribute is set to its largest possible value, then it is equivalent to an
  //# undefined attribute.
  std::optional<std::int64_t> low, high;
  for (const Attribute& other : request_.attributes.all()) {
    if (other.tag != wanted.tag) continue;
    const auto value = other.View().AsDateTime();
    if (!value) return false;
    if (*value == std::numeric_limits<std::int64_t>::max()) continue;
    low = low ? std::min(*low, *value) : *value;
    high = high ? std::max(*high, *value) : *value;
  }
  const auto date = candidate.Date(wanted.tag);
  if (!low) return !date;
  return date && *low <= *date && *date <= *high;
}

bool LocateMatch::MatchesOne(const Attribute& wanted, const AttributeSet& candidate,
                             State state) const {
  if (wanted.tag == Tag::kState) {
    const auto value = wanted.View().AsEnumeration();
    return value && *value == static_cast<std::uint32_t>(state);
  }
  if (wanted.tag == Tag::kCryptographicUsageMask) {
    const auto bits = wanted.View().AsInteger();
    const auto mask = candidate.Integer(wanted.tag);
    return bits && mask && (*mask & *bits) == *bits;
  }
  if (wanted.tag == Tag::kKeyValuePresent) {  // kept only where it is False
    const auto value = wanted.View().AsBoolean();
    return value && *value == candidate.Boolean(wanted.tag).value_or(true);
  }
  if (IsDate(wanted)) return MatchesDate(wanted, candidate);
  const kmip::AttributeReference reference = kmip::ReferenceTo(wanted);
  return std::ranges::any_of(candidate.all(), [&](const Attribute& instance) {
    return reference.Names(instance) && InstanceMatches(instance, wanted);
  });
}

bool LocateMatch::Matches(const AttributeSet& candidate, std::int64_t now) const {
  const State state = EffectiveState(candidate, now);
  if (!StorageMatches(candidate, state)) return false;
  if (request_.object_group_member == kmip::ObjectGroupMember::kGroupMemberFresh &&
      !candidate.Boolean(Tag::kFresh).value_or(false)) {
    return false;
  }
  return std::ranges::all_of(request_.attributes.all(), [&](const Attribute& wanted) {
    return MatchesOne(wanted, candidate, state);
  });
}

}  // namespace dare::engine

#include "engine/operations/check.h"

#include "engine/attribute_values.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/refusal.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Result<void> CheckUsageLimits(const kmip::AttributeSet& attributes, std::int64_t wanted) {
  const kmip::Attribute* limits = attributes.Find(Tag::kUsageLimits);
  if (limits == nullptr) return {};
  if (TRY(ReadUsageLimits(*limits)).count >= wanted) return {};
  return Reject(ResultReason::kUsageLimitExceeded, "less is left of the key's Usage Limits");
}

}  // namespace

// The published cases answer a denial with a Result Reason and no payload; the fields that the text
// would give back with it have no place then (BL-M-2-21).
Result<kmip::CheckResponse> Check(const kmip::CheckRequest& request, OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  const kmip::AttributeSet& attributes = stored->object.attributes;
  if (IsDestroyed(EffectiveState(attributes, context.now()))) {
    return RejectIn(context.version(), ResultReason::kIllegalOperation,
                    ResultReason::kObjectDestroyed, "the object was destroyed");
  }
  if (request.usage_mask) {
    TRY(CheckUsageMask(attributes, static_cast<kmip::CryptographicUsageMask>(*request.usage_mask)));
  }
  if (request.usage_limits_count) {
    TRY(CheckUsageLimits(attributes, *request.usage_limits_count));
  }
  if (request.lease_time && *request.lease_time > kLeaseSeconds) {
    return Reject(ResultReason::kPermissionDenied, "no lease is granted for so long");
  }
  context.Answered(stored->object.id);
  return kmip::CheckResponse{.id = stored->object.id};
}

}  // namespace dare::engine

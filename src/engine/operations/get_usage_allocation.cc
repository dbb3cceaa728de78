#include "engine/operations/get_usage_allocation.h"

#include <utility>

#include "engine/attribute_values.h"
#include "engine/lifecycle.h"
#include "engine/refusal.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::CryptographicUsageMask;
using kmip::ResultReason;
using kmip::Tag;

// The uses that apply protection (kmip-2.1 4.59: the others are not limited).
constexpr auto kProtects = CryptographicUsageMask::kEncrypt | CryptographicUsageMask::kSign |
                           CryptographicUsageMask::kMACGenerate | CryptographicUsageMask::kWrapKey |
                           CryptographicUsageMask::kCertificateSign |
                           CryptographicUsageMask::kCRLSign;

Result<void> CheckMayAllocate(const kmip::AttributeSet& attributes,
                              const OperationContext& context) {
  const kmip::ProtocolVersion version = context.version();
  if (IsDestroyed(EffectiveState(attributes, context.now()))) {
    return RejectIn(version, ResultReason::kIllegalOperation, ResultReason::kObjectDestroyed,
                    "the object was destroyed");
  }
  //= kmip-2.1 6.1.23 Get Usage Allocation
  //# If the operation is requested for an object that has no Usage Limits attribute, or is not an
  //# object that MAY be used for applying cryptographic protection, then the server SHALL return an
  //# error.
  if (!attributes.Has(Tag::kUsageLimits)) {
    return RejectIn(version, ResultReason::kIllegalOperation, ResultReason::kAttributeNotFound,
                    "the object has no Usage Limits");
  }
  const auto mask = attributes.Integer(Tag::kCryptographicUsageMask).value_or(0);
  if ((mask & static_cast<std::int32_t>(kProtects)) == 0) {
    return RejectIn(version, ResultReason::kIllegalOperation, ResultReason::kInvalidObjectType,
                    "the object is not for applying protection");
  }
  return CheckMayProtect(attributes, context.now());
}

}  // namespace

Result<kmip::GetUsageAllocationResponse> GetUsageAllocation(
    const kmip::GetUsageAllocationRequest& request, OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  kmip::AttributeSet attributes = stored->object.attributes;
  TRY(CheckMayAllocate(attributes, context));
  if (request.count <= 0) {
    return kmip::Reject(ResultReason::kInvalidField, "an allocation is of one unit or more");
  }
  UsageLimits limits = TRY(ReadUsageLimits(*attributes.Find(Tag::kUsageLimits)));
  if (limits.count < request.count) {
    return kmip::Reject(ResultReason::kUsageLimitExceeded,
                        "less is left of the object's Usage Limits");
  }
  limits.count -= request.count;
  attributes.Set(MakeUsageLimits(limits));
  TRY(context.Update(*stored, std::move(attributes)));
  context.Answered(stored->object.id);
  return kmip::GetUsageAllocationResponse{.id = stored->object.id};
}

}  // namespace dare::engine

#include "engine/operations/obtain_lease.h"

#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/refusal.h"
#include "kmip/tags.h"

namespace dare::engine {

Result<kmip::ObtainLeaseResponse> ObtainLease(const kmip::ObtainLeaseRequest& request,
                                              OperationContext& context) {
  using kmip::ResultReason;
  const ObjectPointer stored = TRY(context.Open(request.id));
  const kmip::AttributeSet& attributes = stored->object.attributes;
  const kmip::State state = EffectiveState(attributes, context.now());
  //= kmip-1.4 11.18 Obtain Lease
  //# The server determines that a new lease is not permitted to be issued for the specified
  //# cryptographic object
  if (IsDestroyed(state)) {
    return RejectIn(context.version(), ResultReason::kPermissionDenied,
                    ResultReason::kObjectDestroyed, "the object was destroyed");
  }
  if (state == kmip::State::kCompromised) {
    return kmip::Reject(ResultReason::kPermissionDenied, "no lease of a compromised object");
  }
  kmip::ObtainLeaseResponse response;
  response.id = stored->object.id;
  response.lease_time = kLeaseSeconds;
  if (const kmip::Attribute* lease = attributes.Find(kmip::Tag::kLeaseTime)) {
    response.lease_time = TRY(lease->View().AsInterval());
  }
  response.last_change = attributes.Date(kmip::Tag::kLastChangeDate).value_or(stored->created);
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

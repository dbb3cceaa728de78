#include "engine/operations/destroy.h"

#include <utility>

#include "engine/lifecycle.h"
#include "engine/refusal.h"
#include "kmip/tags.h"
#include "policy/policy.h"

namespace dare::engine {

using kmip::ResultReason;
using kmip::State;

Result<kmip::DestroyResponse> Destroy(const kmip::DestroyRequest& request,
                                      OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  //= kmip-1.4 4.21 Destroy
  //# If the Unique Identifier specifies a Template object, then the object itself, including all
  //# meta-data, SHALL be deleted.
  if (stored->object.type == kmip::ObjectType::kTemplate) {
    TRY(context.RequireApproval(policy::Act::kDestroy, *stored));
    TRY(context.Remove(*stored));
    context.Answered(stored->object.id);
    return kmip::DestroyResponse{.id = stored->object.id};
  }
  kmip::AttributeSet attributes = stored->object.attributes;
  const State state = EffectiveState(attributes, context.now());
  if (IsDestroyed(state)) {
    return RejectIn(context.version(), ResultReason::kPermissionDenied,
                    ResultReason::kObjectDestroyed, "the object was destroyed before");
  }
  //= kmip-1.4 11.22 Destroy
  //# Object is not in Pre-Active, Deactivated or Compromised state
  if (state == State::kActive) {
    return kmip::Reject(ResultReason::kWrongKeyLifecycleState,
                        "an Active object must be revoked before it can be destroyed");
  }
  TRY(context.RequireApproval(policy::Act::kDestroy, *stored));
  const State next =
      state == State::kCompromised ? State::kDestroyedCompromised : State::kDestroyed;
  attributes.Set(
      kmip::Attribute::OfEnumeration(kmip::Tag::kState, static_cast<std::uint32_t>(next)));
  attributes.Set(kmip::Attribute::OfDate(kmip::Tag::kDestroyDate, context.now()));
  TRY(context.Destroy(*stored, std::move(attributes)));
  context.Answered(stored->object.id);
  return kmip::DestroyResponse{.id = stored->object.id};
}

}  // namespace dare::engine

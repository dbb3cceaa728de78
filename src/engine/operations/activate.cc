#include "engine/operations/activate.h"

#include "engine/lifecycle.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {

Result<kmip::ActivateResponse> Activate(const kmip::ActivateRequest& request,
                                        OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  //= kmip-2.1 6.1.1 Activate
  //# The operation SHALL only be performed on an object in the Pre-Active state
  kmip::AttributeSet attributes = stored->object.attributes;
  if (EffectiveState(attributes, context.now()) != kmip::State::kPreActive) {
    return kmip::Reject(kmip::ResultReason::kWrongKeyLifecycleState,
                        "the object is not Pre-Active");
  }
  attributes.Set(kmip::Attribute::OfEnumeration(kmip::Tag::kState,
                                                static_cast<std::uint32_t>(kmip::State::kActive)));
  attributes.Set(kmip::Attribute::OfDate(kmip::Tag::kActivationDate, context.now()));
  TRY(context.Update(*stored, std::move(attributes)));
  context.Answered(stored->object.id);
  return kmip::ActivateResponse{.id = stored->object.id};
}

}  // namespace dare::engine

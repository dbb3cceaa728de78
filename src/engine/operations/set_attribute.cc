#include "engine/operations/set_attribute.h"

#include "engine/attribute_change.h"

namespace dare::engine {

Result<kmip::SetAttributeResponse> SetAttribute(const kmip::SetAttributeRequest& request,
                                                OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  AttributeChange change(*stored, context);
  TRY(change.Set(request.attribute));
  TRY(change.Store());
  context.Answered(stored->object.id);
  return kmip::SetAttributeResponse{.id = stored->object.id};
}

}  // namespace dare::engine

#include "engine/operations/modify_attribute.h"

#include <utility>

#include "engine/attribute_change.h"

namespace dare::engine {

Result<kmip::ModifyAttributeResponse> ModifyAttribute(const kmip::ModifyAttributeRequest& request,
                                                      OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  AttributeChange change(*stored, context);
  kmip::Attribute modified = TRY(change.Modify(request.attribute, request.current));
  TRY(change.Store());
  context.Answered(stored->object.id);
  return kmip::ModifyAttributeResponse{.id = stored->object.id, .attribute = std::move(modified)};
}

}  // namespace dare::engine

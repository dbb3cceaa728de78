#include "engine/operations/add_attribute.h"

#include <utility>

#include "engine/attribute_change.h"

namespace dare::engine {

Result<kmip::AddAttributeResponse> AddAttribute(const kmip::AddAttributeRequest& request,
                                                OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  AttributeChange change(*stored, context);
  kmip::Attribute added = TRY(change.Add(request.attribute));
  TRY(change.Store());
  context.Answered(stored->object.id);
  return kmip::AddAttributeResponse{.id = stored->object.id, .attribute = std::move(added)};
}

}  // namespace dare::engine

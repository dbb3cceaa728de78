#include "engine/operations/delete_attribute.h"

#include <utility>

#include "engine/attribute_change.h"
#include "kmip/reject.h"

namespace dare::engine {

Result<kmip::DeleteAttributeResponse> DeleteAttribute(const kmip::DeleteAttributeRequest& request,
                                                      OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  AttributeChange change(*stored, context);
  kmip::DeleteAttributeResponse response;
  response.id = stored->object.id;
  if (kmip::IsVersion1(context.version())) {
    response.attribute = TRY(change.DeleteInstance(*request.reference, request.index.value_or(0)));
  } else if (request.current) {
    TRY(change.DeleteValue(request.current->attribute));
  } else if (request.reference) {
    //= kmip-2.1 6.1.13 Delete Attribute
    //# If no Current Attribute is specified in the request, and an Attribute Reference is
    //# specified, then all instances of the specified attribute SHALL be deleted.
    TRY(change.DeleteAll(*request.reference));
  } else {
    return kmip::Reject(kmip::ResultReason::kInvalidMessage,
                        "neither Current Attribute nor Attribute Reference");
  }
  TRY(change.Store());
  context.Answered(response.id);
  return response;
}

}  // namespace dare::engine

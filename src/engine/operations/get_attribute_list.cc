#include "engine/operations/get_attribute_list.h"

#include <algorithm>

namespace dare::engine {

Result<kmip::GetAttributeListResponse> GetAttributeList(
    const kmip::GetAttributeListRequest& request, OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  kmip::GetAttributeListResponse response;
  response.id = stored->object.id;
  context.Answered(response.id);
  for (const kmip::Attribute& attribute : stored->object.attributes.all()) {
    kmip::AttributeReference reference = kmip::ReferenceTo(attribute);
    if (std::ranges::find(response.references, reference) == response.references.end()) {
      response.references.push_back(std::move(reference));
    }
  }
  return response;
}

}  // namespace dare::engine

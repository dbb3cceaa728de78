#include "engine/operations/get_attributes.h"

#include <algorithm>

#include "engine/lifecycle.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {

using kmip::AttributeReference;

Result<kmip::GetAttributesResponse> GetAttributes(const kmip::GetAttributesRequest& request,
                                                  OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  kmip::AttributeSet attributes = stored->object.attributes;
  SettleState(attributes, context.now());
  // A hash of the material says too much of a password to somebody who may not read it.
  if (stored->object.owner != context.principal().name) attributes.RemoveAll(kmip::Tag::kDigest);
  kmip::GetAttributesResponse response;
  response.id = stored->object.id;
  context.Answered(response.id);
  if (request.references.empty()) {
    response.attributes = attributes.all();
    return response;
  }
  std::vector<AttributeReference> seen;
  for (const AttributeReference& reference : request.references) {
    if (reference.tag == kmip::Tag{}) continue;  // a name that nothing has
    if (std::ranges::find(seen, reference) != seen.end()) {
      //= kmip-1.4 11.13 Get Attributes
      //# The same Attribute Name is present more than once
      if (kmip::IsVersion1(context.version())) {
        return kmip::Reject(kmip::ResultReason::kInvalidMessage,
                            "an Attribute Name is given more than once");
      }
      continue;
    }
    seen.push_back(reference);
    for (const kmip::Attribute& attribute : attributes.all()) {
      if (reference.Names(attribute)) response.attributes.push_back(attribute);
    }
  }
  return response;
}

}  // namespace dare::engine

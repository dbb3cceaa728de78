#include "engine/operations/export.h"

#include <utility>

#include "engine/key_wrapping.h"
#include "engine/lifecycle.h"
#include "engine/operations/get.h"
#include "policy/policy.h"

namespace dare::engine {
namespace {

// What an approval to export the key is good for.
std::string HowItLeaves(const kmip::GetRequest& get) {
  if (!get.wrapping || !Conceals(*get.wrapping)) return "in the clear";
  return "wrapped by " + (get.wrapping->encryption ? get.wrapping->encryption->id : "no key");
}

}  // namespace

Result<kmip::ExportResponse> Export(const kmip::ExportRequest& request, OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.get.id));
  kmip::ExportResponse response;
  kmip::AttributeSet attributes = stored->object.attributes;
  SettleState(attributes, context.now());
  //= kmip-2.1 6.1.18 Export
  //# If the Managed Object has been Destroyed then the key material for the specified managed
  //# object SHALL not be returned in the response.
  response.destroyed = IsDestroyed(EffectiveState(attributes, context.now()));
  if (response.destroyed) {
    response.given.type = stored->object.type;
    response.given.id = stored->object.id;
    context.Answered(stored->object.id);
  } else {
    TRY(context.RequireApproval(policy::Act::kExport, *stored, HowItLeaves(request.get)));
    response.given = TRY(Get(request.get, context));
  }
  for (const kmip::Attribute& attribute : attributes.all()) {
    if (kmip::AttributeKnown(kmip::ReferenceTo(attribute), context.version())) {
      response.attributes.push_back(attribute);
    }
  }
  context.SetPlaceholder(stored->object.id);
  return response;
}

}  // namespace dare::engine

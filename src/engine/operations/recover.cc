#include "engine/operations/recover.h"

#include <utility>

#include "engine/lifecycle.h"
#include "kmip/tags.h"

namespace dare::engine {

Result<kmip::RecoverResponse> Recover(const kmip::RecoverRequest& request,
                                      OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  // Recovering what is on-line is no error in any version: there is nothing to do.
  if (IsArchived(stored->object.attributes)) {
    kmip::AttributeSet attributes = stored->object.attributes;
    //= kmip-2.1 4.5 Archive Date
    //# the server SHALL delete this attribute whenever a Recover operation is performed
    attributes.RemoveAll(kmip::Tag::kArchiveDate);
    TRY(context.Update(*stored, std::move(attributes)));
  }
  context.SetPlaceholder(stored->object.id);
  context.Answered(stored->object.id);
  return kmip::RecoverResponse{.id = stored->object.id};
}

}  // namespace dare::engine

#include "engine/operations/archive.h"

#include <utility>

#include "engine/lifecycle.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {

// The record stays where it is: off-line means that nothing but Recover reaches it (kmip-2.1 6:
// any archived object SHALL first be made available by a Recover operation).
Result<kmip::ArchiveResponse> Archive(const kmip::ArchiveRequest& request,
                                      OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));  // Object Archived when it is already
  kmip::AttributeSet attributes = stored->object.attributes;
  if (IsDestroyed(EffectiveState(attributes, context.now()))) {
    return kmip::Reject(kmip::ResultReason::kObjectDestroyed, "the object was destroyed");
  }
  //= kmip-2.1 4.5 Archive Date
  //# the date and time when the object was placed in archival storage
  attributes.Set(kmip::Attribute::OfDate(kmip::Tag::kArchiveDate, context.now()));
  TRY(context.Update(*stored, std::move(attributes)));
  context.Answered(stored->object.id);
  return kmip::ArchiveResponse{.id = stored->object.id};
}

}  // namespace dare::engine

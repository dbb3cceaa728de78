#include "engine/operations/process.h"

#include "engine/sessions.h"

namespace dare::engine {

Result<kmip::ProcessResponse> Process(const kmip::ProcessRequest& request,
                                      OperationContext& context) {
  TRY(context.Authorise());
  TRY(context.sessions().asynchronous.NoteProcess(request.correlation, OwnerOf(context.caller())));
  return kmip::ProcessResponse{.correlation = request.correlation};
}

}  // namespace dare::engine

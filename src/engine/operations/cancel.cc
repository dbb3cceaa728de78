#include "engine/operations/cancel.h"

#include "engine/sessions.h"

namespace dare::engine {

Result<kmip::CancelResponse> Cancel(const kmip::CancelRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  kmip::CancelResponse response;
  response.correlation = request.correlation;
  response.result =
      TRY(context.sessions().asynchronous.Cancel(request.correlation, OwnerOf(context.caller())));
  return response;
}

}  // namespace dare::engine

#include "engine/operations/logout.h"

#include "engine/sessions.h"

namespace dare::engine {

Result<kmip::LogoutResponse> Logout(const kmip::LogoutRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  TRY(context.sessions().tickets.End(request.ticket, context.principal()));
  return kmip::LogoutResponse{};
}

}  // namespace dare::engine

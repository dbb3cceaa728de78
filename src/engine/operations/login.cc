#include "engine/operations/login.h"

#include <utility>

#include "engine/sessions.h"
#include "kmip/reject.h"

namespace dare::engine {

Result<kmip::LoginResponse> Login(const kmip::LoginRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  // A ticket must not be exchanged for one that reaches further or lasts longer.
  if (context.caller().ticket != nullptr) {
    return kmip::Reject(kmip::ResultReason::kPermissionDenied, "a ticket gives no further ticket");
  }
  TicketGrant grant;
  grant.principal = context.principal();
  grant.certificate = context.caller().certificate;
  grant.terms = request.terms;
  kmip::LoginResponse response;
  response.ticket = TRY(context.sessions().tickets.Issue(std::move(grant)));
  return response;
}

}  // namespace dare::engine

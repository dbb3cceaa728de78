#include "engine/operations/set_endpoint_role.h"

#include "engine/sessions.h"
#include "kmip/reject.h"

namespace dare::engine {

using kmip::EndpointRole;
using kmip::Reject;
using kmip::ResultReason;

Result<kmip::SetEndpointRoleResponse> SetEndpointRole(const kmip::SetEndpointRoleRequest& request,
                                                      OperationContext& context) {
  TRY(context.Authorise());
  //= kmip-2.1 6.1.54 Set Endpoint Role
  //# After successful completion of the operation the server assumes the client role,
  //# and the client assumes the server role
  if (request.role == EndpointRole::kServer) return kmip::SetEndpointRoleResponse{request.role};
  if (request.role != EndpointRole::kClient) {
    return Reject(ResultReason::kInvalidField, "unknown Endpoint Role");
  }
  const Caller& caller = context.caller();
  if (caller.endpoint == nullptr) {
    return Reject(ResultReason::kFeatureNotSupported, "not on this kind of connection");
  }
  // All changes of the owner's would be heard, whatever the ticket was to show.
  if (caller.principal.rights) {
    return Reject(ResultReason::kPermissionDenied, "not with a delegated ticket");
  }
  TRY(context.sessions().outbox.Open(caller.endpoint, caller.principal.name, context.version()));
  context.sessions().listens(caller.principal.name);
  return kmip::SetEndpointRoleResponse{request.role};
}

}  // namespace dare::engine

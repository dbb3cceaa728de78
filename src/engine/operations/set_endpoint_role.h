#pragma once

#include "engine/operation.h"
#include "kmip/payloads/set_endpoint_role.h"

namespace dare::engine {

// The server takes the client's role on this connection, and tells of changes to the asker's
// objects there. Feature Not Supported over HTTPS, which carries no requests back.
Result<kmip::SetEndpointRoleResponse> SetEndpointRole(const kmip::SetEndpointRoleRequest& request,
                                                      OperationContext& context);

}  // namespace dare::engine

#pragma once

#include "engine/operation.h"
#include "kmip/payloads/logout.h"

namespace dare::engine {

// Ends a ticket of who asks. Invalid Ticket.
Result<kmip::LogoutResponse> Logout(const kmip::LogoutRequest& request, OperationContext& context);

}  // namespace dare::engine

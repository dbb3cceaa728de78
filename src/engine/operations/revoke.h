#pragma once

#include "engine/operation.h"
#include "kmip/payloads/revoke.h"

namespace dare::engine {
Result<kmip::RevokeResponse> Revoke(const kmip::RevokeRequest& request, OperationContext& context);
}

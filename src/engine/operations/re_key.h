#pragma once

#include "engine/operation.h"
#include "kmip/payloads/re_key.h"

namespace dare::engine {
Result<kmip::ReKeyResponse> ReKey(const kmip::ReKeyRequest& request, OperationContext& context);
}

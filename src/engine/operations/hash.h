#pragma once

#include "engine/operation.h"
#include "kmip/payloads/hash.h"

namespace dare::engine {
Result<kmip::HashResponse> Hash(const kmip::HashRequest& request, OperationContext& context);
}

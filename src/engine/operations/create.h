#pragma once

#include "engine/operation.h"
#include "kmip/payloads/create.h"

namespace dare::engine {
Result<kmip::CreateResponse> Create(const kmip::CreateRequest& request, OperationContext& context);
}

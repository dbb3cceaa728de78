#pragma once

#include "engine/operation.h"
#include "kmip/payloads/get.h"

namespace dare::engine {
Result<kmip::GetResponse> Get(const kmip::GetRequest& request, OperationContext& context);
}

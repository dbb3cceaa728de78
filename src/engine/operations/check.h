#pragma once

#include "engine/operation.h"
#include "kmip/payloads/check.h"

namespace dare::engine {
Result<kmip::CheckResponse> Check(const kmip::CheckRequest& request, OperationContext& context);
}

#pragma once

#include "engine/operation.h"
#include "kmip/payloads/mac.h"

namespace dare::engine {
Result<kmip::MacResponse> Mac(const kmip::MacRequest& request, OperationContext& context);
}

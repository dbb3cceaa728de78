#pragma once

#include "engine/operation.h"
#include "kmip/payloads/sign.h"

namespace dare::engine {
Result<kmip::SignResponse> Sign(const kmip::SignRequest& request, OperationContext& context);
}

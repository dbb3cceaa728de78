#pragma once

#include "engine/operation.h"
#include "kmip/payloads/validate.h"

namespace dare::engine {
Result<kmip::ValidateResponse> Validate(const kmip::ValidateRequest& request,
                                        OperationContext& context);
}

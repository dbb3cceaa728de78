#pragma once

#include "engine/operation.h"
#include "kmip/payloads/register.h"

namespace dare::engine {
Result<kmip::RegisterResponse> Register(const kmip::RegisterRequest& request,
                                        OperationContext& context);
}

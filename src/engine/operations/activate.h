#pragma once

#include "engine/operation.h"
#include "kmip/payloads/activate.h"

namespace dare::engine {
Result<kmip::ActivateResponse> Activate(const kmip::ActivateRequest& request,
                                        OperationContext& context);
}

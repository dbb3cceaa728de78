#pragma once

#include "engine/operation.h"
#include "kmip/payloads/destroy.h"

namespace dare::engine {
Result<kmip::DestroyResponse> Destroy(const kmip::DestroyRequest& request,
                                      OperationContext& context);
}

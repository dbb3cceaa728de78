#pragma once

#include "engine/operation.h"
#include "kmip/payloads/recover.h"

namespace dare::engine {
Result<kmip::RecoverResponse> Recover(const kmip::RecoverRequest& request,
                                      OperationContext& context);
}

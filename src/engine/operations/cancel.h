#pragma once

#include "engine/operation.h"
#include "kmip/payloads/cancel.h"

namespace dare::engine {

// Cancels an asynchronous request that was not begun yet.
Result<kmip::CancelResponse> Cancel(const kmip::CancelRequest& request, OperationContext& context);

}  // namespace dare::engine

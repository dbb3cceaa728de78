#pragma once

#include "engine/operation.h"
#include "kmip/payloads/ping.h"

namespace dare::engine {

// Says that somebody is there.
Result<kmip::PingResponse> Ping(const kmip::PingRequest& request, OperationContext& context);

}  // namespace dare::engine

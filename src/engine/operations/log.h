#pragma once

#include "engine/operation.h"
#include "kmip/payloads/log.h"

namespace dare::engine {

// Writes the client's message into the audit log.
Result<kmip::LogResponse> Log(const kmip::LogRequest& request, OperationContext& context);

}  // namespace dare::engine

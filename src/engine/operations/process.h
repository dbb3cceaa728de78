#pragma once

#include "engine/operation.h"
#include "kmip/payloads/process.h"

namespace dare::engine {

// Notes that an asynchronous request, which was begun just before, was hurried. Duplicate Process
// Request.
Result<kmip::ProcessResponse> Process(const kmip::ProcessRequest& request,
                                      OperationContext& context);

}  // namespace dare::engine

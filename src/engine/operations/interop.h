#pragma once

#include "engine/operation.h"
#include "kmip/payloads/interop.h"

namespace dare::engine {

// Begin and End change nothing; Reset removes every object of who asks. On test servers only.
Result<kmip::InteropResponse> Interop(const kmip::InteropRequest& request,
                                      OperationContext& context);

}  // namespace dare::engine

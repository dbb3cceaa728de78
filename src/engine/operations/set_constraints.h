#pragma once

#include "engine/operation.h"
#include "kmip/payloads/set_constraints.h"

namespace dare::engine {

// What new objects of who asks must be like from now on; nothing: as they may.
Result<kmip::SetConstraintsResponse> SetConstraints(const kmip::SetConstraintsRequest& request,
                                                    OperationContext& context);

}  // namespace dare::engine

#pragma once

#include "engine/operation.h"
#include "kmip/payloads/get_constraints.h"

namespace dare::engine {

// What new objects of who asks must be like.
Result<kmip::GetConstraintsResponse> GetConstraints(const kmip::GetConstraintsRequest& request,
                                                    OperationContext& context);

}  // namespace dare::engine

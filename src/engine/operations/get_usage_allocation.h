#pragma once

#include "engine/operation.h"
#include "kmip/payloads/get_usage_allocation.h"

namespace dare::engine {
Result<kmip::GetUsageAllocationResponse> GetUsageAllocation(
    const kmip::GetUsageAllocationRequest& request, OperationContext& context);
}

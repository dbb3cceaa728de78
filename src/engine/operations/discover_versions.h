#pragma once

#include "engine/operation.h"
#include "kmip/payloads/discover_versions.h"

namespace dare::engine {
Result<kmip::DiscoverVersionsResponse> DiscoverVersions(
    const kmip::DiscoverVersionsRequest& request, OperationContext& context);
}

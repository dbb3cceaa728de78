#pragma once

#include "engine/operation.h"
#include "kmip/payloads/query_asynchronous_requests.h"

namespace dare::engine {

// What who asks began and has not fetched.
Result<kmip::QueryAsynchronousRequestsResponse> QueryAsynchronousRequests(
    const kmip::QueryAsynchronousRequestsRequest& request, OperationContext& context);

}  // namespace dare::engine

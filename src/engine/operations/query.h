#pragma once

#include "engine/operation.h"
#include "kmip/payloads/query.h"

namespace dare::engine {
Result<kmip::QueryResponse> Query(const kmip::QueryRequest& request, OperationContext& context);
}

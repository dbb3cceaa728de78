#pragma once

#include "engine/operation.h"
#include "kmip/payloads/rng_retrieve.h"

namespace dare::engine {
Result<kmip::RngRetrieveResponse> RngRetrieve(const kmip::RngRetrieveRequest& request,
                                              OperationContext& context);
}

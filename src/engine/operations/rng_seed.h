#pragma once

#include "engine/operation.h"
#include "kmip/payloads/rng_seed.h"

namespace dare::engine {
Result<kmip::RngSeedResponse> RngSeed(const kmip::RngSeedRequest& request,
                                      OperationContext& context);
}

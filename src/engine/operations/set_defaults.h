#pragma once

#include "engine/operation.h"
#include "kmip/payloads/set_defaults.h"

namespace dare::engine {

// What new objects of who asks get where the request leaves it out; nothing: nothing.
Result<kmip::SetDefaultsResponse> SetDefaults(const kmip::SetDefaultsRequest& request,
                                              OperationContext& context);

}  // namespace dare::engine

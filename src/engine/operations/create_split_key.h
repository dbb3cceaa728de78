#pragma once

#include "engine/operation.h"
#include "kmip/payloads/create_split_key.h"

namespace dare::engine {
Result<kmip::CreateSplitKeyResponse> CreateSplitKey(const kmip::CreateSplitKeyRequest& request,
                                                    OperationContext& context);
}

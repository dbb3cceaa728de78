#pragma once

#include "engine/operation.h"
#include "kmip/payloads/join_split_key.h"

namespace dare::engine {
Result<kmip::JoinSplitKeyResponse> JoinSplitKey(const kmip::JoinSplitKeyRequest& request,
                                                OperationContext& context);
}

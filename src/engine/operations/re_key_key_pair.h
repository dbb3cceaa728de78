#pragma once

#include "engine/operation.h"
#include "kmip/payloads/re_key_key_pair.h"

namespace dare::engine {
Result<kmip::ReKeyKeyPairResponse> ReKeyKeyPair(const kmip::ReKeyKeyPairRequest& request,
                                                OperationContext& context);
}

#pragma once

#include "engine/operation.h"
#include "kmip/payloads/create_key_pair.h"

namespace dare::engine {
Result<kmip::CreateKeyPairResponse> CreateKeyPair(const kmip::CreateKeyPairRequest& request,
                                                  OperationContext& context);
}

#pragma once

#include "engine/operation.h"
#include "kmip/payloads/derive_key.h"

namespace dare::engine {
Result<kmip::DeriveKeyResponse> DeriveKey(const kmip::DeriveKeyRequest& request,
                                          OperationContext& context);
}

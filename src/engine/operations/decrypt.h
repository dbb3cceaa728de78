#pragma once

#include "engine/operation.h"
#include "kmip/payloads/decrypt.h"

namespace dare::engine {
Result<kmip::DecryptResponse> Decrypt(const kmip::DecryptRequest& request,
                                      OperationContext& context);
}

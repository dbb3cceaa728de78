#pragma once

#include "engine/operation.h"
#include "kmip/payloads/encrypt.h"

namespace dare::engine {
Result<kmip::EncryptResponse> Encrypt(const kmip::EncryptRequest& request,
                                      OperationContext& context);
}

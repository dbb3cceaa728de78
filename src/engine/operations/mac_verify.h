#pragma once

#include "engine/operation.h"
#include "kmip/payloads/mac_verify.h"

namespace dare::engine {
Result<kmip::MacVerifyResponse> MacVerify(const kmip::MacVerifyRequest& request,
                                          OperationContext& context);
}

#pragma once

#include "engine/operation.h"
#include "kmip/payloads/signature_verify.h"

namespace dare::engine {
Result<kmip::SignatureVerifyResponse> SignatureVerify(const kmip::SignatureVerifyRequest& request,
                                                      OperationContext& context);
}

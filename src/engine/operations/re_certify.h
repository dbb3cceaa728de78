#pragma once

#include "engine/operation.h"
#include "kmip/payloads/re_certify.h"

namespace dare::engine {
Result<kmip::ReCertifyResponse> ReCertify(const kmip::ReCertifyRequest& request,
                                          OperationContext& context);
}

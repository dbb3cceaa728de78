#pragma once

#include "engine/operation.h"
#include "kmip/payloads/certify.h"

namespace dare::engine {
Result<kmip::CertifyResponse> Certify(const kmip::CertifyRequest& request,
                                      OperationContext& context);
}

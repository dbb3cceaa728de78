#pragma once

#include "engine/operation.h"
#include "kmip/payloads/obtain_lease.h"

namespace dare::engine {
Result<kmip::ObtainLeaseResponse> ObtainLease(const kmip::ObtainLeaseRequest& request,
                                              OperationContext& context);
}

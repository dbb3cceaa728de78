#pragma once

#include "engine/operation.h"
#include "kmip/payloads/locate.h"

namespace dare::engine {
Result<kmip::LocateResponse> Locate(const kmip::LocateRequest& request, OperationContext& context);
}

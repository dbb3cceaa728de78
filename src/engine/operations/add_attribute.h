#pragma once

#include "engine/operation.h"
#include "kmip/payloads/add_attribute.h"

namespace dare::engine {
Result<kmip::AddAttributeResponse> AddAttribute(const kmip::AddAttributeRequest& request,
                                                OperationContext& context);
}

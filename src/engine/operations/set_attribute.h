#pragma once

#include "engine/operation.h"
#include "kmip/payloads/set_attribute.h"

namespace dare::engine {
Result<kmip::SetAttributeResponse> SetAttribute(const kmip::SetAttributeRequest& request,
                                                OperationContext& context);
}

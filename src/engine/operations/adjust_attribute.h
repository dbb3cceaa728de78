#pragma once

#include "engine/operation.h"
#include "kmip/payloads/adjust_attribute.h"

namespace dare::engine {
Result<kmip::AdjustAttributeResponse> AdjustAttribute(const kmip::AdjustAttributeRequest& request,
                                                      OperationContext& context);
}

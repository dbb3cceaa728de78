#pragma once

#include "engine/operation.h"
#include "kmip/payloads/modify_attribute.h"

namespace dare::engine {
Result<kmip::ModifyAttributeResponse> ModifyAttribute(const kmip::ModifyAttributeRequest& request,
                                                      OperationContext& context);
}

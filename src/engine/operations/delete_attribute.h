#pragma once

#include "engine/operation.h"
#include "kmip/payloads/delete_attribute.h"

namespace dare::engine {
Result<kmip::DeleteAttributeResponse> DeleteAttribute(const kmip::DeleteAttributeRequest& request,
                                                      OperationContext& context);
}

#pragma once

#include "engine/operation.h"
#include "kmip/payloads/get_attributes.h"

namespace dare::engine {
Result<kmip::GetAttributesResponse> GetAttributes(const kmip::GetAttributesRequest& request,
                                                  OperationContext& context);
}

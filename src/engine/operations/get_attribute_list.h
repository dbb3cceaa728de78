#pragma once

#include "engine/operation.h"
#include "kmip/payloads/get_attribute_list.h"

namespace dare::engine {
Result<kmip::GetAttributeListResponse> GetAttributeList(
    const kmip::GetAttributeListRequest& request, OperationContext& context);
}

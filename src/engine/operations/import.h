#pragma once

#include "engine/operation.h"
#include "kmip/payloads/import.h"

namespace dare::engine {
Result<kmip::ImportResponse> Import(const kmip::ImportRequest& request, OperationContext& context);
}

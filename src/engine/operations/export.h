#pragma once

#include "engine/operation.h"
#include "kmip/payloads/export.h"

namespace dare::engine {
Result<kmip::ExportResponse> Export(const kmip::ExportRequest& request, OperationContext& context);
}

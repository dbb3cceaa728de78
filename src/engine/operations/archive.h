#pragma once

#include "engine/operation.h"
#include "kmip/payloads/archive.h"

namespace dare::engine {
Result<kmip::ArchiveResponse> Archive(const kmip::ArchiveRequest& request,
                                      OperationContext& context);
}

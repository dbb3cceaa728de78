#pragma once

#include <span>

#include "base/result.h"
#include "engine/operation.h"
#include "kmip/enums.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::engine {

// One operation that this server offers: decodes its payload, does the work, encodes the answer.
struct OperationHandler {
  kmip::Operation operation;
  bool changes;  // goes to the writer thread at once, without a try on a reading one
  Result<void> (*run)(ttlv::Reader& payload, OperationContext& context, ttlv::Writer& out);
  // All it changes is that there is something new, for which it asks about nothing that there is:
  // it can be done as a draft (draft.h).
  bool makes = false;
};

// Every operation offered. To add one: a payload file, an operation file, a row here
// (CONTRIBUTING.md).
std::span<const OperationHandler> OperationHandlers();
//= kmip-2.1 6.1.26 Interop
//# It SHALL NOT be available in a production server.
// False for Interop, unless this server is there for test cases.
bool IsOffered(kmip::Operation operation, bool interop);
// Null when the server does not offer it.
const OperationHandler* FindOperationHandler(kmip::Operation operation);

}  // namespace dare::engine

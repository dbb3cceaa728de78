#pragma once

#include "engine/operation.h"
#include "kmip/payloads/pkcs11.h"

namespace dare::engine {
// Answers C_Initialize, C_GetInfo and C_Finalize for a token of no slots: nothing of the HSM that
// holds the master key can be reached from here.
Result<kmip::Pkcs11Response> Pkcs11(const kmip::Pkcs11Request& request, OperationContext& context);
}  // namespace dare::engine

#pragma once

#include "engine/new_object.h"
#include "engine/operation.h"
#include "kmip/payloads/register.h"

namespace dare::engine {
Result<kmip::RegisterResponse> Register(const kmip::RegisterRequest& request,
                                        OperationContext& context);

// The object that a request brings, checked and complete, not yet stored. Import brings objects
// through here too: then what the request says about the object's past is kept as it is.
Result<kmip::ManagedObject> MakeRegistered(const kmip::RegisterRequest& request, Origin origin,
                                           const OperationContext& context);
}  // namespace dare::engine

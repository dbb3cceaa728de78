#pragma once

#include "engine/operation.h"
#include "kmip/payloads/delegated_login.h"

namespace dare::engine {

// A ticket for another client, with some rights of who asks.
Result<kmip::DelegatedLoginResponse> DelegatedLogin(const kmip::DelegatedLoginRequest& request,
                                                    OperationContext& context);

}  // namespace dare::engine

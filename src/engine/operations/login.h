#pragma once

#include "engine/operation.h"
#include "kmip/payloads/login.h"

namespace dare::engine {

// A ticket that stands for who asks, with as much right. Server Limit Exceeded.
Result<kmip::LoginResponse> Login(const kmip::LoginRequest& request, OperationContext& context);

}  // namespace dare::engine

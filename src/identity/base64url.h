#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::identity {

// Base 64 of RFC 4648, 5, as JOSE writes it (RFC 7515, 2): without padding, white space and line
// breaks, and in the one way of writing these bytes. kMalformed otherwise.
Result<Bytes> FromBase64Url(std::string_view text);

}  // namespace dare::identity

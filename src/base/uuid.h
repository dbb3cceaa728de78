#pragma once

#include <string>

#include "base/result.h"

namespace dare {
// A random (version 4) UUID in its 36-character text form. RFC 4122, section 4.4.
Result<std::string> NewUuid();
}  // namespace dare

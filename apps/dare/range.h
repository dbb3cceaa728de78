#pragma once

#include <string_view>

#include "envelope/message_opener.h"

namespace dare::cli {

// "OFFSET:LENGTH", or "OFFSET:" for all from there on; decimal bytes. kInvalidArgument otherwise.
Result<envelope::PlainRange> ParseRange(std::string_view text);

}  // namespace dare::cli

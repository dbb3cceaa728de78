#pragma once

#include <string>

#include "base/secret_bytes.h"

namespace dare::cli {

// Reads a token, to enrol by or of a person: from a private file, from standard input ("-"), or,
// with an empty path, from the terminal without showing it (from standard input where that is no
// terminal). White space around it does not count. kInvalidArgument when there is none.
Result<SecretBytes> ReadToken(const std::string& path);

}  // namespace dare::cli

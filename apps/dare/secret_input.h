#pragma once

#include <cstddef>

#include "base/secret_bytes.h"

namespace dare::cli {

// Standard input up to its end. kTooLarge above `most` bytes.
Result<WipingBytes> ReadStandardInput(std::size_t most);

// One line of the terminal that standard input is, asked for with `prompt` on standard error and
// not shown. kTooLarge above `most` bytes.
Result<WipingBytes> ReadHiddenLine(const char* prompt, std::size_t most);

}  // namespace dare::cli

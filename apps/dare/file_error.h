#pragma once

#include <string>

#include "base/result.h"

// Errors of src/envelope as a person at the prompt should read them.
namespace dare::cli {

// What existed gets the way around it.
Error SealingError(Error error);

// The same; and a key that the key server does not have means that `file` is not ours or that the
// key's name in it is damaged (nobody can tell which).
Error OpeningError(const std::string& file, Error error);

}  // namespace dare::cli

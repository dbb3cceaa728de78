#pragma once

#include <string>

#include "envelope/encryption_context.h"

namespace dare::cli {

// A file with a JSON object of texts: pairs of an encryption context, which are public.
// kInvalidArgument, naming the file, when it is something else.
Result<envelope::EncryptionContext> ReadContextFile(const std::string& path);

}  // namespace dare::cli

#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::store {

// A whole small SQLite database as the bytes of its file, as it stands at one moment, beside
// processes that use it: for the server's own tables beside the key store. kNotFound when there is
// no file.
Result<Bytes> CopySqliteDatabase(const std::string& path);

}  // namespace dare::store

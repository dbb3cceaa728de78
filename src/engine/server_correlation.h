#pragma once

#include <string>

namespace dare::engine {

//= kmip-2.1 9.10 Correlation Value (Server)
//# SHOULD be provided by the server and SHOULD be globally unique
// The next one. Thread-safe.
std::string NewServerCorrelation();

}  // namespace dare::engine

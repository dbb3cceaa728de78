#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "conformance/tree.h"

namespace dare::conformance {

// The JSON message encoding, kmip-profiles-2.1 section 5.5, the judge's own.
Result<Node> ParseJson(std::string_view text);
std::string WriteJson(const Node& node);

}  // namespace dare::conformance

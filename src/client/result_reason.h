#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "kmip/enums.h"

namespace dare::client {

// What a server's refusal of `operation` means here. The code decides exit codes and whether
// somebody else is asked; `detail` is the Result Reason; the message names operation and reason.
Error ErrorOf(kmip::Operation operation, std::optional<kmip::ResultReason> reason,
              std::string_view message);

// The coarse meaning of a Result Reason (kmip-2.1 11.47, kmip-1.4 9.1.3.2.29).
Code CodeOf(kmip::ResultReason reason);

}  // namespace dare::client

#pragma once

#include <memory>

#include "hsm/resident_keys.h"
#include "server/config.h"

namespace dare::kms {

// The keys that stay in the tokens of PKCS#11 modules, with sessions of their own. A token that
// cannot be opened now is left out, with a warning. Null when none is there.
std::unique_ptr<hsm::ResidentKeys> OpenResidentKeys(const server::HsmConfig& config);

}  // namespace dare::kms

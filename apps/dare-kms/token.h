#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "hsm/session_pool.h"
#include "server/config.h"

namespace dare::kms {

// Loads the PKCS#11 module; SoftHSM2 reads its configuration from `softhsm2_conf`.
Result<std::shared_ptr<hsm::Module>> LoadModule(const std::string& path,
                                                const std::string& softhsm2_conf);

// The token that the configuration names, logged in to.
Result<std::shared_ptr<hsm::SessionPool>> OpenToken(const server::HsmConfig& config);

}  // namespace dare::kms

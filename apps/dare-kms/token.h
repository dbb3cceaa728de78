#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "hsm/session_pool.h"
#include "hsm/token_guard.h"
#include "server/config.h"

namespace dare::kms {

// Loads the PKCS#11 module of a token; SoftHSM2 reads its configuration from `softhsm2_conf`.
Result<std::shared_ptr<hsm::Module>> LoadModule(const server::TokenConfig& token,
                                                const std::string& softhsm2_conf);

// The first token that the configuration names, logged in to.
Result<std::shared_ptr<hsm::SessionPool>> OpenToken(const server::HsmConfig& config);
// Any of them that has a PKCS#11 module; kUnsupported for a TPM. `guard` is for whoever uses the
// token while the server runs.
Result<std::shared_ptr<hsm::SessionPool>> OpenToken(
    const server::TokenConfig& token, const std::string& softhsm2_conf,
    std::shared_ptr<hsm::TokenGuard> guard = nullptr);

// What keeps a token in trouble from holding anybody up.
std::shared_ptr<hsm::TokenGuard> MakeGuard(const server::TokenConfig& token, const Clock& clock);

}  // namespace dare::kms

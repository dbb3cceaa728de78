#include "token.h"

#include <cstdlib>

namespace dare::kms {

Result<std::shared_ptr<hsm::Module>> LoadModule(const std::string& path,
                                                const std::string& softhsm2_conf) {
  if (!softhsm2_conf.empty() && ::setenv("SOFTHSM2_CONF", softhsm2_conf.c_str(), 1) != 0) {
    return Error(Code::kExhausted, "cannot set SOFTHSM2_CONF");
  }
  return hsm::Module::Load(path);
}

Result<std::shared_ptr<hsm::SessionPool>> OpenToken(const server::HsmConfig& config) {
  SecretBytes pin = TRY(server::LoadPin(config));
  auto module = TRY(LoadModule(config.module, config.softhsm2_conf));
  hsm::SessionPoolOptions options;
  options.token_label = config.token_label;
  options.most_sessions = config.sessions;
  auto pool = hsm::SessionPool::Open(std::move(module), std::move(pin), options);
  // A token that is not there is an HSM out of reach, not a thing that does not exist.
  if (!pool && pool.error().code == Code::kNotFound) {
    return Error(Code::kUnavailable, pool.error().message, pool.error().detail);
  }
  return pool;
}

}  // namespace dare::kms

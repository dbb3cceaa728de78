#include "token.h"

#include <cstdlib>
#include <utility>

namespace dare::kms {

Result<std::shared_ptr<hsm::Module>> LoadModule(const server::TokenConfig& token,
                                                const std::string& softhsm2_conf) {
  if (!softhsm2_conf.empty() && ::setenv("SOFTHSM2_CONF", softhsm2_conf.c_str(), 1) != 0) {
    return Error(Code::kExhausted, "cannot set SOFTHSM2_CONF");
  }
  return hsm::Module::Load(token.module, token.init_args);
}

Result<std::shared_ptr<hsm::SessionPool>> OpenToken(const server::TokenConfig& token,
                                                    const std::string& softhsm2_conf,
                                                    std::shared_ptr<hsm::TokenGuard> guard) {
  if (token.tpm) {
    return Error(Code::kUnsupported, "token '" + token.name + "' is a TPM, with no PKCS#11 module");
  }
  SecretBytes pin = TRY(server::LoadPin(token));
  auto module = TRY(LoadModule(token, softhsm2_conf));
  hsm::SessionPoolOptions options;
  options.token_label = token.token_label;
  options.token_serial = token.token_serial;
  options.most_sessions = token.sessions;
  options.pin_source = [token] { return server::LoadPin(token); };
  options.was_there = guard != nullptr && guard->open();  // it failed before and is probed now
  options.guard = std::move(guard);
  auto pool = hsm::SessionPool::Open(std::move(module), std::move(pin), options);
  // A token that is not there is an HSM out of reach, not a thing that does not exist.
  if (!pool && pool.error().code == Code::kNotFound) {
    return Error(Code::kUnavailable, pool.error().message, pool.error().detail);
  }
  return pool;
}

std::shared_ptr<hsm::TokenGuard> MakeGuard(const server::TokenConfig& token, const Clock& clock) {
  hsm::TokenGuardOptions options;
  options.name = token.name;
  if (token.bounded_calls == "always") options.bound = hsm::BoundCalls::kAlways;
  options.call_timeout = std::chrono::milliseconds(token.call_timeout_ms);
  options.lanes = token.sessions;
  options.breaker.slow = options.call_timeout / 2;
  return std::make_shared<hsm::TokenGuard>(std::move(options), clock);
}

Result<std::shared_ptr<hsm::SessionPool>> OpenToken(const server::HsmConfig& config) {
  return OpenToken(config, config.softhsm2_conf);
}

}  // namespace dare::kms

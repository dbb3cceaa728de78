#pragma once

#include <functional>
#include <memory>
#include <string>

#include "configured_tokens.h"
#include "custody/custody.h"
#include "server/admin.h"
#include "server/config.h"

namespace dare::kms {

// Does what administrators ask of the store's keys over HTTPS. Tokens are only ever those of
// kms.toml, which is read again when one is to be let in. Thread-safe; `custody` outlives it.
class KeyAdministration : public server::KeyOffice {
 public:
  // `changed` is called when the engine should look at the keys at once.
  KeyAdministration(const server::Config& config, custody::Custody& custody,
                    std::shared_ptr<ConfiguredTokens> tokens, std::function<void()> changed)
      : config_file_(config.file),
        custody_(custody),
        tokens_(std::move(tokens)),
        changed_(std::move(changed)) {}

  Result<std::string> Status() override;
  Result<std::string> Rotate(const Rotation& rotation) override;
  Result<std::string> DestroyRetired() override;
  Result<std::string> AddToken(const std::string& token) override;
  Result<std::string> RemoveToken(const std::string& token) override;

 private:
  const std::string config_file_;
  custody::Custody& custody_;
  const std::shared_ptr<ConfiguredTokens> tokens_;
  const std::function<void()> changed_;
};

}  // namespace dare::kms

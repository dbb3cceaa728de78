#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "custody/custody_record.h"
#include "hsm/sealer.h"

namespace dare::custody {

// What custody asks of the HSMs that the configuration names. Calls may take as long as a token
// does. Thread-safe.
class MasterKeys {
 public:
  virtual ~MasterKeys() = default;
  // The tokens by their names, in the order of the configuration.
  virtual std::vector<std::string> tokens() const = 0;
  // The master key `id` of a token, the only one it has when `id` is empty; refused (kDenied) when
  // it is weaker than one of that origin must be. kNotFound when the token has no such key or
  // nobody configured it; kConflict when it has several; kUnavailable.
  virtual Result<std::shared_ptr<hsm::Sealer>> Open(const std::string& token, const Bytes& id,
                                                    KeyOrigin origin) = 0;
  // The same key in several tokens, used side by side; those that are away join when they are back.
  virtual Result<std::shared_ptr<hsm::Sealer>> OpenTogether(const std::vector<std::string>& tokens,
                                                            const Bytes& id, KeyOrigin origin) = 0;
  // A new key, made in the token.
  virtual Result<std::shared_ptr<hsm::Sealer>> Create(const std::string& token) = 0;
  // A key made elsewhere, not extractable from then on. `mechanism`: how records were sealed under
  // it before; nothing: it is new, and seals in the best way that the token has. kAlreadyExists,
  // kUnsupported.
  virtual Result<std::shared_ptr<hsm::Sealer>> Import(const std::string& token, const Bytes& id,
                                                      const SecretBytes& key,
                                                      std::optional<std::uint8_t> mechanism) = 0;
  // For ever. kNotFound when it is not there.
  virtual Result<void> Destroy(const std::string& token, const Bytes& id) = 0;
  // The ids of the master keys that a token has.
  virtual Result<std::vector<Bytes>> List(const std::string& token) = 0;
};

}  // namespace dare::custody

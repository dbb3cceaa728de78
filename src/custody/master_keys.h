#pragma once

#include <memory>
#include <string>
#include <vector>

#include "custody/custody_record.h"
#include "hsm/sealer.h"

namespace dare::custody {

// What custody asks of the HSMs that the configuration names. Calls may take as long as a token
// does. Thread-safe.
class MasterKeys {
 public:
  struct Opened {
    std::shared_ptr<hsm::Sealer> sealer;
    KeyOrigin origin = KeyOrigin::kToken;
  };

  virtual ~MasterKeys() = default;
  // The tokens by their names, in the order of the configuration.
  virtual std::vector<std::string> tokens() const = 0;
  // The master key `id` of a token; the only one it has when `id` is empty. kNotFound when the
  // token has no such key or nobody configured it; kConflict when it has several; kUnavailable.
  virtual Result<Opened> Open(const std::string& token, const Bytes& id) = 0;
  // One sealer over tokens that hold the same key; the first of them goes first.
  virtual std::shared_ptr<hsm::Sealer> Together(
      std::vector<std::shared_ptr<hsm::Sealer>> sealers) = 0;
  // A new key, made in the token.
  virtual Result<Opened> Create(const std::string& token) = 0;
  // A key made elsewhere, not extractable from then on.
  virtual Result<Opened> Import(const std::string& token, const Bytes& id,
                                const SecretBytes& key) = 0;
  // For ever. kNotFound when it is not there.
  virtual Result<void> Destroy(const std::string& token, const Bytes& id) = 0;
  // The ids of the master keys that a token has.
  virtual Result<std::vector<Bytes>> List(const std::string& token) = 0;
};

}  // namespace dare::custody

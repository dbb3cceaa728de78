#pragma once

#include "envelope/keyring.h"
#include "hsm/sealer.h"

namespace dare::backup {

// Wraps a message's data key by sealing it as the store's records are sealed: whoever can open the
// store can open the message, and nobody else. Provider "dare-hsm"; the provider info is the id of
// the master key. `sealer` outlives it.
class HsmKeyWrapper final : public envelope::KeyWrapper {
 public:
  explicit HsmKeyWrapper(hsm::Sealer& sealer) : sealer_(sealer) {}

  Result<envelope::EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) override;
  Result<std::optional<Dek>> Unwrap(const envelope::EncryptedDataKey& edk, ByteView aad) override;

 private:
  hsm::Sealer& sealer_;
};

}  // namespace dare::backup

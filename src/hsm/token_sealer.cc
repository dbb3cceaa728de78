#include "hsm/token_sealer.h"

#include <utility>

#include "hsm/cbc_hmac_sealer.h"
#include "hsm/direct_sealer.h"
#include "hsm/rsa_sealer.h"

namespace dare::hsm {

Result<std::unique_ptr<Sealer>> OpenTokenSealer(std::shared_ptr<MasterKey> key) {
  switch (key->info().mechanism) {
    case SealingMechanism::kAesGcm:
      return std::unique_ptr<Sealer>(TRY(DirectSealer::Make(std::move(key))));
    case SealingMechanism::kAesCbcHmac:
      return std::unique_ptr<Sealer>(TRY(CbcHmacSealer::Make(std::move(key))));
    case SealingMechanism::kRsaOaep:
      return std::unique_ptr<Sealer>(TRY(RsaSealer::Make(std::move(key))));
  }
  return Error(Code::kInternal, "a mechanism without a number");
}

}  // namespace dare::hsm

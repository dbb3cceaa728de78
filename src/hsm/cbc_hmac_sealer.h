#pragma once

#include <memory>

#include "hsm/master_key_sealer.h"

namespace dare::hsm {

// Seals in a token that has no AES-GCM: AES-256-CBC-PAD under the first half of the master key,
// then HMAC-SHA-256 under the second over everything (encrypt-then-MAC). The code is compared
// before the token is asked to decrypt, so that padding tells nobody anything. Two PKCS#11 calls a
// record. Thread-safe.
class CbcHmacSealer : public MasterKeySealer {
 public:
  // kUnsupported when the token does neither.
  static Result<std::unique_ptr<CbcHmacSealer>> Make(std::shared_ptr<MasterKey> key);

  Result<Bytes> Seal(ByteView aad, ByteView secret) override;
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override;

 private:
  using MasterKeySealer::MasterKeySealer;
  Result<Bytes> Authenticate(ByteView record, ByteView aad);
};

}  // namespace dare::hsm

#pragma once

#include "crypto/asymmetric_key.h"
#include "hsm/master_key_sealer.h"

namespace dare::hsm {

// Seals with a token that knows RSA alone. A fresh key for each record is encrypted to the first
// half of the master key by RSA-OAEP, in this process, for that needs the public half only; the
// record is encrypted under it by AES-256-GCM, and the whole signed by the second half, in the
// token. So whoever has the public halves makes no record that opens. The signature is verified
// before the token is asked to decrypt. One PKCS#11 call a record. Thread-safe.
class RsaSealer : public MasterKeySealer {
 public:
  // kUnsupported when the token does not sign or decrypt so.
  static Result<std::unique_ptr<RsaSealer>> Make(std::shared_ptr<MasterKey> key);

  Result<Bytes> Seal(ByteView aad, ByteView secret) override;
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override;

 private:
  struct Record;
  RsaSealer(std::shared_ptr<MasterKey> key, crypto::PublicKey seal, crypto::PublicKey verify)
      : MasterKeySealer(std::move(key)), seal_(std::move(seal)), verify_(std::move(verify)) {}
  Result<Record> Parse(ByteView sealed) const;
  Result<Bytes> Sign(ByteView record, ByteView aad);
  Result<SecretBytes> DecryptKey(ByteView encrypted);
  std::size_t key_bytes() const { return key_->info().moduli.seal.size(); }
  std::size_t signature_bytes() const { return key_->info().moduli.sign.size(); }

  // Public halves.
  const crypto::PublicKey seal_;
  const crypto::PublicKey verify_;
};

}  // namespace dare::hsm

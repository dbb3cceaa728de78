#pragma once

#include <string>
#include <string_view>

#include "envelope/keyring.h"

namespace dare::envelope {

enum class RsaPadding : std::uint8_t {
  kOaepSha1,    // read only
  kOaepSha256,  // the one to write
  kOaepSha384,
  kOaepSha512,
  kInsecurePkcs1,  // read only, for old messages
};

// The SHA-256 of a public RSA key's SubjectPublicKeyInfo (DER), in hex: what
// `openssl pkey -pubin -in FILE -outform DER | sha256sum` prints. kInvalidArgument when `pem` is no
// public RSA key of at least 2048 bits.
Result<std::string> RsaFingerprint(ByteView pem);

// Raw RSA keyring: the DEK under an RSA key this process holds, for offline recovery keys. The
// encryption context is not bound into this wrapping (the header tag still covers it).
// OAEP uses one hash for label and MGF1. Owns its key.
class RawRsaKeyWrapper final : public KeyWrapper {
 public:
  // `pem`: a private key (wraps and unwraps) or a public key (wraps only).
  static Result<std::shared_ptr<RawRsaKeyWrapper>> Create(std::string key_namespace,
                                                          std::string key_name, ByteView pem,
                                                          RsaPadding padding);
  ~RawRsaKeyWrapper() override;

  // kUnsupported with the paddings that are read only.
  Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) override;
  bool can_unwrap() const override;
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey& edk, ByteView aad) override;
  std::optional<NamedKey> named_key() const override { return NamedKey{namespace_, name_}; }

 private:
  struct Key;  // OpenSSL's
  RawRsaKeyWrapper(std::string key_namespace, std::string key_name, std::unique_ptr<Key> key,
                   RsaPadding padding);

  const std::string namespace_;
  const std::string name_;
  const std::unique_ptr<Key> key_;
  const RsaPadding padding_;
};

}  // namespace dare::envelope

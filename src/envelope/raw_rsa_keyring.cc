#include "envelope/raw_rsa_keyring.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <utility>

#include "crypto/fips_policy.h"

namespace dare::envelope {
namespace {

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct KeyContextDeleter {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyDeleter>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, KeyContextDeleter>;

const EVP_MD* OaepHash(RsaPadding padding) {
  switch (padding) {
    case RsaPadding::kOaepSha1:
      return EVP_sha1();
    case RsaPadding::kOaepSha256:
      return EVP_sha256();
    case RsaPadding::kOaepSha384:
      return EVP_sha384();
    case RsaPadding::kOaepSha512:
      return EVP_sha512();
    case RsaPadding::kInsecurePkcs1:
      return nullptr;
  }
  return nullptr;
}

bool SetPadding(EVP_PKEY_CTX* context, RsaPadding padding) {
  if (padding == RsaPadding::kInsecurePkcs1) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  }
  const EVP_MD* hash = OaepHash(padding);
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, hash) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1;
}

KeyPtr ReadPem(ByteView pem, bool private_key) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return nullptr;
  // No passphrase prompt: an encrypted key is refused.
  static constexpr auto kNoPassphrase = [](char*, int, int, void*) { return 0; };
  return KeyPtr(private_key ? PEM_read_bio_PrivateKey(bio.get(), nullptr, kNoPassphrase, nullptr)
                            : PEM_read_bio_PUBKEY(bio.get(), nullptr, kNoPassphrase, nullptr));
}

constexpr int kLeastBits = 2048;

}  // namespace

Result<std::string> RsaFingerprint(ByteView pem) {
  const KeyPtr key = ReadPem(pem, false);
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    return Error(Code::kInvalidArgument, "not a public RSA key in PEM form");
  }
  if (EVP_PKEY_get_bits(key.get()) < kLeastBits) {
    return Error(Code::kInvalidArgument, "an RSA key under 2048 bits");
  }
  std::uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  std::uint8_t digest[SHA256_DIGEST_LENGTH];
  const bool done = size > 0 && EVP_Digest(der, static_cast<std::size_t>(size), digest, nullptr,
                                           EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  if (!done) return Error(Code::kInternal, "SHA-256 failed inside OpenSSL");
  return ToHex(digest);
}

struct RawRsaKeyWrapper::Key {
  KeyPtr key;
  bool can_unwrap = false;
};

RawRsaKeyWrapper::RawRsaKeyWrapper(std::string key_namespace, std::string key_name,
                                   std::unique_ptr<Key> key, RsaPadding padding)
    : namespace_(std::move(key_namespace)),
      name_(std::move(key_name)),
      key_(std::move(key)),
      padding_(padding) {}

RawRsaKeyWrapper::~RawRsaKeyWrapper() = default;

Result<std::shared_ptr<RawRsaKeyWrapper>> RawRsaKeyWrapper::Create(std::string key_namespace,
                                                                   std::string key_name,
                                                                   ByteView pem,
                                                                   RsaPadding padding) {
  if (pem.size() > (1u << 20) || key_namespace.size() > 0xFFFF || key_name.size() > 0xFFFF) {
    return Error(Code::kInvalidArgument, "the RSA key, its namespace or its name is too long");
  }
  // SP 800-131A rev. 2, 6: PKCS#1 v1.5 is disallowed for key transport since 2024.
  if (padding == RsaPadding::kInsecurePkcs1 && crypto::ConfinedToFips()) {
    return Error(Code::kDenied,
                 "RSA with PKCS#1 v1.5 is not approved by FIPS 140-3, and the crypto policy is "
                 "fips");
  }
  auto key = std::make_unique<Key>();
  key->key = ReadPem(pem, true);
  key->can_unwrap = key->key != nullptr;
  if (!key->key) key->key = ReadPem(pem, false);
  if (!key->key || EVP_PKEY_get_base_id(key->key.get()) != EVP_PKEY_RSA) {
    return Error(Code::kInvalidArgument, "not an RSA key in PEM form");
  }
  if (EVP_PKEY_get_bits(key->key.get()) < kLeastBits && crypto::ConfinedToFips()) {
    return Error(Code::kDenied,
                 "an RSA key under 2048 bits is not approved by FIPS 140-3, and the crypto policy "
                 "is fips");
  }
  return std::shared_ptr<RawRsaKeyWrapper>(
      new RawRsaKeyWrapper(std::move(key_namespace), std::move(key_name), std::move(key), padding));
}

bool RawRsaKeyWrapper::can_unwrap() const { return key_->can_unwrap; }

Result<EncryptedDataKey> RawRsaKeyWrapper::Wrap(const Dek& dek, ByteView /*aad*/) {
  if (padding_ == RsaPadding::kInsecurePkcs1 || padding_ == RsaPadding::kOaepSha1) {
    return Error(Code::kUnsupported, "this RSA padding is only read, never written");
  }
  const KeyContextPtr context(EVP_PKEY_CTX_new(key_->key.get(), nullptr));
  EncryptedDataKey edk{namespace_, ToBytes(AsBytes(name_)),
                       Bytes(static_cast<std::size_t>(EVP_PKEY_get_size(key_->key.get())))};
  std::size_t length = edk.ciphertext.size();
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      !SetPadding(context.get(), padding_) ||
      EVP_PKEY_encrypt(context.get(), edk.ciphertext.data(), &length, dek.Reveal().data(),
                       dek.size()) != 1) {
    return Error(Code::kInternal, "RSA encryption failed inside OpenSSL");
  }
  edk.ciphertext.resize(length);
  return edk;
}

Result<std::optional<Dek>> RawRsaKeyWrapper::Unwrap(const EncryptedDataKey& edk, ByteView /*aad*/) {
  std::optional<Dek> none;
  if (edk.provider_id != namespace_ || AsText(edk.provider_info) != name_) return none;
  const auto modulus = static_cast<std::size_t>(EVP_PKEY_get_size(key_->key.get()));
  if (!key_->can_unwrap || edk.ciphertext.size() != modulus) return none;
  const KeyContextPtr context(EVP_PKEY_CTX_new(key_->key.get(), nullptr));
  SecretBytes plain = TRY(SecretBytes::OfSize(modulus));
  std::size_t length = modulus;
  if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 ||
      !SetPadding(context.get(), padding_) ||
      EVP_PKEY_decrypt(context.get(), plain.RevealMutable().data(), &length, edk.ciphertext.data(),
                       modulus) != 1) {
    return Error(Code::kDamaged, "authentication failed");
  }
  return std::optional<Dek>(Dek(TRY(SecretBytes::CopyOf(plain.Reveal().first(length)))));
}

}  // namespace dare::envelope

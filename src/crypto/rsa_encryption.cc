#include "crypto/rsa_encryption.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <string>

#include "crypto/digest.h"
#include "crypto/openssl_handles.h"

namespace dare::crypto {
namespace {

Error Failed() {
  ERR_clear_error();
  return Error(Code::kDamaged, "decryption failed");
}

Error Refused() {
  ERR_clear_error();
  return Error(Code::kUnsupported, "the cryptographic provider refuses this RSA scheme");
}

Result<void> CheckScheme(const KeyFacts& key, const RsaScheme& scheme,
                         const AlgorithmPolicy& policy) {
  if (key.family != KeyFamily::kRsa) {
    return Error(Code::kUnsupported, "only RSA keys encrypt in this way");
  }
  TRY(CheckKey(policy, key));
  if (scheme.padding != RsaPadding::kOaep) {
    if (policy.allow_legacy) return {};
    return Error(Code::kDenied, "RSA without OAEP is not allowed by the algorithm policy");
  }
  // What OAEP asks of its hash SHA-1 still has (SP 800-56B rev. 2, 5.1).
  for (const HashAlgorithm hash : {scheme.hash, scheme.mgf_hash}) {
    if (hash != HashAlgorithm::kSha1) TRY(CheckHash(policy, hash));
  }
  if (MostPlainBytes(key, scheme) == 0) {
    return Error(Code::kInvalidArgument, "the key is too short for this hash");
  }
  return {};
}

bool SetOaep(EVP_PKEY_CTX* context, const RsaScheme& scheme) {
  std::string hash(Name(scheme.hash));
  std::string mgf_hash(Name(scheme.mgf_hash));
  OSSL_PARAM params[4];
  OSSL_PARAM* next = params;
  *next++ = OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, hash.data(), 0);
  *next++ =
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, mgf_hash.data(), 0);
  if (!scheme.label.empty()) {
    // OpenSSL copies it, through a pointer that is not const.
    auto* const label = const_cast<std::uint8_t*>(scheme.label.data());
    *next++ = OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, label,
                                                scheme.label.size());
  }
  *next = OSSL_PARAM_construct_end();
  return EVP_PKEY_CTX_set_params(context, params) == 1;
}

bool SetScheme(EVP_PKEY_CTX* context, const RsaScheme& scheme) {
  switch (scheme.padding) {
    case RsaPadding::kOaep:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
             SetOaep(context, scheme);
    case RsaPadding::kPkcs1:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    case RsaPadding::kNone:
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1;
  }
  return false;
}

}  // namespace

std::size_t MostPlainBytes(const KeyFacts& key, const RsaScheme& scheme) {
  const std::size_t modulus = (key.bits + 7) / 8;
  std::size_t overhead = 0;
  if (scheme.padding == RsaPadding::kPkcs1) overhead = 11;
  if (scheme.padding == RsaPadding::kOaep) overhead = 2 * DigestBytes(scheme.hash) + 2;
  return modulus > overhead ? modulus - overhead : 0;
}

Result<Bytes> RsaEncrypt(const PublicKey& key, const RsaScheme& scheme, ByteView plain,
                         const AlgorithmPolicy& policy) {
  TRY(CheckScheme(key.facts(), scheme, policy));
  const std::size_t most = MostPlainBytes(key.facts(), scheme);
  const bool fits =
      scheme.padding == RsaPadding::kNone ? plain.size() == most : plain.size() <= most;
  if (!fits) {
    return Error(Code::kInvalidArgument,
                 "this key encrypts " + std::to_string(most) + " bytes at a time");
  }
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.handle(), nullptr));
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 || !SetScheme(context.get(), scheme)) {
    return Refused();
  }
  Bytes sealed((key.facts().bits + 7) / 8);
  std::size_t size = sealed.size();
  if (EVP_PKEY_encrypt(context.get(), sealed.data(), &size, plain.data(), plain.size()) != 1) {
    ERR_clear_error();
    return Error(Code::kInvalidArgument, "the data cannot be encrypted with this key");
  }
  sealed.resize(size);
  return sealed;
}

Result<WipingBytes> RsaDecrypt(const PrivateKey& key, const RsaScheme& scheme, ByteView sealed,
                               const AlgorithmPolicy& policy) {
  TRY(CheckScheme(key.facts(), scheme, policy));
  const std::size_t modulus = (key.facts().bits + 7) / 8;
  if (sealed.size() != modulus) return Failed();
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.handle(), nullptr));
  if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 || !SetScheme(context.get(), scheme)) {
    return Refused();
  }
  WipingBytes plain(modulus);
  std::size_t size = plain.size();
  if (EVP_PKEY_decrypt(context.get(), plain.data(), &size, sealed.data(), sealed.size()) != 1) {
    return Failed();
  }
  plain.resize(size);
  return plain;
}

}  // namespace dare::crypto

#include "crypto/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>
#include <utility>

#include "crypto/digest.h"
#include "crypto/fips_approval.h"
#include "crypto/fips_policy.h"
#include "crypto/openssl_handles.h"

namespace dare::crypto {
namespace {

using MdContextPtr = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;

Error NotPossible() {
  ERR_clear_error();
  return Error(Code::kInvalidArgument, "this key cannot be used with these parameters");
}

bool CanSign(KeyFamily family) {
  return family == KeyFamily::kRsa || family == KeyFamily::kEc || family == KeyFamily::kDsa ||
         SignsWholeMessages(family);
}

Result<void> CheckScheme(const KeyFacts& key, const SignatureScheme& scheme,
                         const AlgorithmPolicy& policy) {
  if (!CanSign(key.family)) {
    return Error(Code::kUnsupported, std::string(Name(key.family)) + " keys do not sign");
  }
  if (ConfinedToFips()) TRY(RequireApproved(key));
  if (SignsWholeMessages(key.family)) return {};
  if (scheme.hash) {
    TRY(CheckHash(policy, *scheme.hash));
    if (scheme.mgf_hash && *scheme.mgf_hash != HashAlgorithm::kSha1) {
      TRY(CheckHash(policy, *scheme.mgf_hash));  // SHA-1 is still sound inside MGF1
    }
    return {};
  }
  if (key.family == KeyFamily::kRsa && !policy.allow_legacy) {
    return Error(Code::kDenied,
                 "an RSA signature without the name of its hash is not allowed by the algorithm "
                 "policy");
  }
  return {};
}

Result<void> CheckDigest(const KeyFacts& key, const SignatureScheme& scheme, ByteView digest) {
  if (SignsWholeMessages(key.family)) {
    return Error(Code::kUnsupported,
                 std::string(Name(key.family)) + " signs whole messages, not digests");
  }
  if (digest.empty() || (scheme.hash && digest.size() != DigestBytes(*scheme.hash))) {
    return Error(Code::kInvalidArgument, "the digest has not the length of its hash");
  }
  return {};
}

bool SetPss(EVP_PKEY_CTX* context, const SignatureScheme& scheme, bool signs) {
  const HashAlgorithm hash = *scheme.hash;
  const std::string mgf(Name(scheme.mgf_hash.value_or(hash)));
  const int otherwise = signs ? RSA_PSS_SALTLEN_DIGEST : RSA_PSS_SALTLEN_AUTO;
  const int salt = scheme.salt_length ? static_cast<int>(*scheme.salt_length) : otherwise;
  return EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, mgf.c_str(), nullptr) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1;
}

bool SetScheme(EVP_PKEY_CTX* context, const KeyFacts& key, const SignatureScheme& scheme,
               bool signs) {
  const bool rsa = key.family == KeyFamily::kRsa;
  const bool pss = rsa && scheme.padding == SignaturePadding::kPss;
  if (pss && !scheme.hash) return false;
  if (rsa &&
      EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1) {
    return false;
  }
  if (scheme.hash) {
    const EVP_MD* md = EVP_get_digestbyname(std::string(Name(*scheme.hash)).c_str());
    if (md == nullptr || EVP_PKEY_CTX_set_signature_md(context, md) != 1) return false;
  }
  return !pss || SetPss(context, scheme, signs);
}

Result<Bytes> SignWhole(EVP_PKEY* key, ByteView message) {
  const MdContextPtr context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1) {
    return NotPossible();
  }
  Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    return NotPossible();
  }
  signature.resize(size);
  return signature;
}

Result<bool> VerifyWhole(EVP_PKEY* key, ByteView message, ByteView signature) {
  const MdContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key,
                                          nullptr) != 1) {
    return NotPossible();
  }
  const bool right = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                      message.data(), message.size()) == 1;
  ERR_clear_error();
  return right;
}

}  // namespace

bool SignsWholeMessages(KeyFamily family) {
  return family == KeyFamily::kEd25519 || family == KeyFamily::kEd448;
}

Result<Bytes> SignDigest(const PrivateKey& key, const SignatureScheme& scheme, ByteView digest,
                         const AlgorithmPolicy& policy) {
  TRY(CheckScheme(key.facts(), scheme, policy));
  TRY(CheckDigest(key.facts(), scheme, digest));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.handle(), nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      !SetScheme(context.get(), key.facts(), scheme, true) ||
      EVP_PKEY_sign(context.get(), nullptr, &size, digest.data(), digest.size()) != 1) {
    return NotPossible();
  }
  Bytes signature(size);
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) != 1) {
    return NotPossible();
  }
  signature.resize(size);
  return signature;
}

Result<bool> VerifyDigest(const PublicKey& key, const SignatureScheme& scheme, ByteView digest,
                          ByteView signature, const AlgorithmPolicy& policy) {
  TRY(CheckScheme(key.facts(), scheme, policy));
  TRY(CheckDigest(key.facts(), scheme, digest));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.handle(), nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1 ||
      !SetScheme(context.get(), key.facts(), scheme, false)) {
    return NotPossible();
  }
  const bool right = EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                                     digest.data(), digest.size()) == 1;
  ERR_clear_error();
  return right;
}

Result<Bytes> SignMessage(const PrivateKey& key, const SignatureScheme& scheme, ByteView message,
                          const AlgorithmPolicy& policy) {
  TRY(CheckScheme(key.facts(), scheme, policy));
  if (SignsWholeMessages(key.facts().family)) return SignWhole(key.handle(), message);
  if (!scheme.hash) return SignDigest(key, scheme, message, policy);
  const Bytes digest = TRY(Digest(*scheme.hash, message, policy));
  return SignDigest(key, scheme, digest, policy);
}

Result<bool> VerifyMessage(const PublicKey& key, const SignatureScheme& scheme, ByteView message,
                           ByteView signature, const AlgorithmPolicy& policy) {
  TRY(CheckScheme(key.facts(), scheme, policy));
  if (SignsWholeMessages(key.facts().family)) return VerifyWhole(key.handle(), message, signature);
  if (!scheme.hash) return VerifyDigest(key, scheme, message, signature, policy);
  const Bytes digest = TRY(Digest(*scheme.hash, message, policy));
  return VerifyDigest(key, scheme, digest, signature, policy);
}

}  // namespace dare::crypto

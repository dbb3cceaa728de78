#include "crypto/authorities.h"

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <utility>

#include "crypto/revocation_list.h"
#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {

struct Authorities::Authority {
  X509Ptr certificate;
  bool signs_lists = false;

  const X509_NAME* name() const { return X509_get_subject_name(certificate.get()); }
  EVP_PKEY* key() const { return X509_get0_pubkey(certificate.get()); }
};

namespace {

using AlgorithmPtr = std::unique_ptr<X509_ALGOR, FreeWith<X509_ALGOR_free>>;
using PssPtr = std::unique_ptr<RSA_PSS_PARAMS, FreeWith<RSA_PSS_PARAMS_free>>;
using StringPtr = std::unique_ptr<ASN1_STRING, FreeWith<ASN1_STRING_free>>;

//= rfc5280 4.2.1.3
//# The cRLSign bit is asserted when the subject public key is used for verifying signatures on
//# certificate revocation lists
// All bits are set where there is no such extension.
bool MaySignLists(X509* certificate) {
  return (X509_get_key_usage(certificate) & KU_CRL_SIGN) != 0;
}

// RFC 4055, section 3.1: without a hash in the parameters it is SHA-1.
int HashOfPss(const X509_ALGOR* algorithm) {
  const void* value = nullptr;
  int type = V_ASN1_UNDEF;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return NID_undef;
  const auto* encoded = static_cast<const ASN1_STRING*>(value);
  const std::uint8_t* at = ASN1_STRING_get0_data(encoded);
  const PssPtr parameters(d2i_RSA_PSS_PARAMS(nullptr, &at, ASN1_STRING_length(encoded)));
  if (parameters == nullptr) return NID_undef;
  return parameters->hashAlgorithm == nullptr ? NID_sha1
                                              : OBJ_obj2nid(parameters->hashAlgorithm->algorithm);
}

// NIST SP 800-57 part 1, table 3: 112 bits of strength at least.
bool IsStrong(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  const int nid = OBJ_obj2nid(object);
  if (nid == NID_ED25519 || nid == NID_ED448) return true;
  int hash = NID_undef;
  if (nid == NID_rsassaPss) {
    hash = HashOfPss(algorithm);
  } else if (OBJ_find_sigid_algs(nid, &hash, nullptr) != 1) {
    return false;
  }
  switch (hash) {
    case NID_sha224:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
    case NID_sha512_224:
    case NID_sha512_256:
    case NID_sha3_224:
    case NID_sha3_256:
    case NID_sha3_384:
    case NID_sha3_512:
      return true;
    default:
      return false;
  }
}

AlgorithmPtr AlgorithmOf(const UnverifiedRevocationList& list) {
  const std::uint8_t* at = list.algorithm.data();
  return AlgorithmPtr(d2i_X509_ALGOR(nullptr, &at, static_cast<long>(list.algorithm.size())));
}

StringPtr StringOf(int type, ByteView bytes) {
  StringPtr string(ASN1_STRING_type_new(type));
  const bool set = string != nullptr &&
                   ASN1_STRING_set(string.get(), bytes.data(), static_cast<int>(bytes.size())) == 1;
  return set ? std::move(string) : nullptr;
}

// OpenSSL would make objects of a million entries to verify an X509_CRL. As a SEQUENCE that it does
// not look into, the body is verified as it stands.
bool Verifies(const UnverifiedRevocationList& list, const X509_ALGOR* algorithm, EVP_PKEY* key) {
  const StringPtr body = StringOf(V_ASN1_SEQUENCE, list.body);
  const StringPtr signature = StringOf(V_ASN1_BIT_STRING, list.signature);
  return body != nullptr && signature != nullptr && key != nullptr &&
         ASN1_item_verify(ASN1_ITEM_rptr(ASN1_SEQUENCE), algorithm, signature.get(), body.get(),
                          key) == 1;
}

}  // namespace

Authorities::Authorities() = default;
Authorities::Authorities(Authorities&&) noexcept = default;
Authorities& Authorities::operator=(Authorities&&) noexcept = default;
Authorities::~Authorities() = default;

Result<std::size_t> Authorities::Add(ByteView certificate) {
  X509Ptr added = TRY(DecodeCertificate(certificate));
  const X509_NAME* name = X509_get_subject_name(added.get());
  const EVP_PKEY* key = X509_get0_pubkey(added.get());
  if (key == nullptr) {
    TakeOpenSslError();
    return Error(Code::kMalformed, "a certificate whose key cannot be read");
  }
  const bool signs_lists = MaySignLists(added.get());
  for (std::size_t i = 0; i < authorities_.size(); ++i) {
    Authority& known = *authorities_[i];
    if (X509_NAME_cmp(known.name(), name) != 0 || EVP_PKEY_eq(known.key(), key) != 1) continue;
    known.signs_lists = known.signs_lists || signs_lists;
    return i;
  }
  authorities_.push_back(std::make_unique<Authority>(Authority{std::move(added), signs_lists}));
  return authorities_.size() - 1;
}

std::optional<std::size_t> Authorities::IssuerOf(X509* certificate, const X509* above) const {
  const X509_NAME* name = X509_get_issuer_name(certificate);
  const EVP_PKEY* key_above = above == nullptr ? nullptr : X509_get0_pubkey(above);
  ERR_set_mark();
  std::optional<std::size_t> issuer;
  for (std::size_t i = 0; i < authorities_.size() && !issuer; ++i) {
    const Authority& authority = *authorities_[i];
    if (X509_NAME_cmp(authority.name(), name) != 0) continue;
    // With the key above it is verified already.
    const bool issued = key_above != nullptr ? EVP_PKEY_eq(authority.key(), key_above) == 1
                                             : X509_verify(certificate, authority.key()) == 1;
    if (issued) issuer = i;
  }
  ERR_pop_to_mark();
  return issuer;
}

Result<std::size_t> Authorities::SignerOf(const UnverifiedRevocationList& list) const {
  const std::string& issuer = list.says.issuer;
  const AlgorithmPtr algorithm = AlgorithmOf(list);
  const std::uint8_t* at = list.issuer.data();
  const NamePtr name(d2i_X509_NAME(nullptr, &at, static_cast<long>(list.issuer.size())));
  if (algorithm == nullptr || name == nullptr) {
    TakeOpenSslError();
    return Error(Code::kMalformed, "not a revocation list");
  }
  if (!IsStrong(algorithm.get())) {
    TakeOpenSslError();
    return Error(Code::kUnsupported,
                 "the list of '" + issuer + "' has a signature over a weak hash");
  }
  bool named = false;
  for (std::size_t i = 0; i < authorities_.size(); ++i) {
    const Authority& authority = *authorities_[i];
    if (X509_NAME_cmp(authority.name(), name.get()) != 0) continue;
    named = true;
    if (!Verifies(list, algorithm.get(), authority.key())) continue;
    TakeOpenSslError();  // of others with that name
    if (authority.signs_lists) return i;
    return Error(Code::kDenied,
                 "'" + issuer + "' may not sign revocation lists (key usage without cRLSign)");
  }
  TakeOpenSslError();
  if (named) {
    return Error(Code::kUnauthenticated,
                 "the list of '" + issuer + "' is not signed with the key of that authority");
  }
  return Error(Code::kNotFound,
               "the list of '" + issuer + "', which is no authority whose lists are believed here");
}

Bytes SerialContentOf(const X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &encoded);
  // A serial of more than 127 bytes has a longer head; no list has such a one.
  Bytes content;
  if (size > 2 && encoded[1] < 0x80) content.assign(encoded + 2, encoded + size);
  OPENSSL_free(encoded);
  return content;
}

}  // namespace dare::crypto

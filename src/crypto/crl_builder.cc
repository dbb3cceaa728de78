#include "crypto/crl_builder.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string_view>
#include <utility>

#include "crypto/signed_der.h"
#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

using CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;
using RevokedPtr = std::unique_ptr<X509_REVOKED, FreeWith<X509_REVOKED_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;

constexpr std::uint8_t kSequence = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
constexpr std::size_t kMostSerialBytes = 20;  // RFC 5280, 4.1.2.2

Error CrlError() {
  return Error(Code::kInternal, "cannot make a revocation list: " + TakeOpenSslError());
}

Result<CrlPtr> DecodeCrl(const Bytes& der) {
  const std::uint8_t* at = der.data();
  CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (crl == nullptr) return CrlError();
  return crl;
}

// An empty list that names `algorithm` in both places: OpenSSL has no call to set it, but reads it.
Result<CrlPtr> EmptyCrl(ByteView algorithm, const X509_NAME* issuer, std::int64_t this_update) {
  unsigned char* encoded = nullptr;
  int size = i2d_X509_NAME(issuer, &encoded);
  if (size <= 0) return CrlError();
  const Bytes name(encoded, encoded + size);
  OPENSSL_free(encoded);
  const TimePtr time(ASN1_TIME_adj(nullptr, this_update, 0, 0));
  encoded = nullptr;
  size = time == nullptr ? 0 : i2d_ASN1_TIME(time.get(), &encoded);
  if (size <= 0) return CrlError();
  const Bytes when(encoded, encoded + size);
  OPENSSL_free(encoded);

  Bytes body{V_ASN1_INTEGER, 1, 1};  // version 2
  Append(body, algorithm);
  Append(body, name);
  Append(body, when);
  Bytes list = DerElement(kSequence, body);
  Append(list, algorithm);
  Append(list, DerElement(V_ASN1_BIT_STRING, Bytes{0}));
  return DecodeCrl(DerElement(kSequence, list));
}

// Nothing for what is no serial number.
BnPtr SerialNumber(const std::string& hex) {
  BIGNUM* read = nullptr;
  const bool lawful = !hex.empty() && hex.size() <= 2 * kMostSerialBytes &&
                      BN_hex2bn(&read, hex.c_str()) == static_cast<int>(hex.size());
  BnPtr number(read);
  if (!lawful || BN_is_negative(number.get())) return nullptr;
  return number;
}

Result<void> AddEntry(X509_CRL* crl, const CrlPlan::Entry& entry) {
  const BnPtr number = SerialNumber(entry.serial);
  if (number == nullptr) {
    return Error(Code::kInvalidArgument, "'" + entry.serial + "' is no serial number");
  }
  const IntegerPtr serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
  const TimePtr when(ASN1_TIME_adj(nullptr, entry.revoked, 0, 0));
  RevokedPtr revoked(X509_REVOKED_new());
  const bool made = serial != nullptr && when != nullptr && revoked != nullptr &&
                    X509_REVOKED_set_serialNumber(revoked.get(), serial.get()) == 1 &&
                    X509_REVOKED_set_revocationDate(revoked.get(), when.get()) == 1 &&
                    X509_CRL_add0_revoked(crl, revoked.get()) == 1;
  if (!made) return CrlError();
  (void)revoked.release();  // the list's now
  return {};
}

//= rfc5280 5.2
//# Conforming CRL issuers are REQUIRED to include the authority key identifier (Section 5.2.1) and
//# the CRL number (Section 5.2.3) extensions in all CRLs issued.
Result<void> AddExtensions(X509_CRL* crl, X509* issuer, std::uint64_t number) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, crl, 0);
  const ExtensionPtr key(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  if (key == nullptr || X509_CRL_add_ext(crl, key.get(), -1) != 1) return CrlError();
  const IntegerPtr value(ASN1_INTEGER_new());
  if (value == nullptr || ASN1_INTEGER_set_uint64(value.get(), number) != 1 ||
      X509_CRL_add1_ext_i2d(crl, NID_crl_number, value.get(), 0, 0) != 1) {
    return CrlError();
  }
  return {};
}

}  // namespace

Result<Bytes> BuildCrl(const CrlPlan& plan, ByteView issuer, const DigestSigner& sign) {
  const X509Ptr authority = TRY(DecodeCertificate(issuer));
  if (ToUnixTime(X509_get0_notAfter(authority.get())) <= plan.this_update) {
    return Error(Code::kDenied, "the certificate authority has expired");
  }
  //= rfc5280 4.2.1.3
  //# The cRLSign bit is asserted when the subject public key is used for verifying signatures on
  //# certificate revocation lists
  if ((X509_get_key_usage(authority.get()) & KU_CRL_SIGN) == 0) {
    return Error(Code::kDenied, "the CA certificate may not sign revocation lists");
  }
  EVP_PKEY* key = X509_get0_pubkey(authority.get());
  const bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  const CrlPtr crl = TRY(
      EmptyCrl(SignatureAlgorithm(rsa), X509_get_subject_name(authority.get()), plan.this_update));
  const TimePtr next(ASN1_TIME_adj(nullptr, plan.next_update, 0, 0));
  if (next == nullptr || X509_CRL_set1_nextUpdate(crl.get(), next.get()) != 1) return CrlError();
  for (const CrlPlan::Entry& entry : plan.entries) TRY(AddEntry(crl.get(), entry));
  if (X509_CRL_sort(crl.get()) != 1) return CrlError();
  TRY(AddExtensions(crl.get(), authority.get(), plan.number));

  unsigned char* encoded = nullptr;
  const int size = i2d_re_X509_CRL_tbs(crl.get(), &encoded);
  if (size <= 0) return CrlError();
  Bytes body(encoded, encoded + size);
  OPENSSL_free(encoded);
  Bytes der = TRY(SignedDer(std::move(body), rsa, sign));
  // A token that signs with another key, or badly, is found out here and not by the readers.
  const CrlPtr made = TRY(DecodeCrl(der));
  if (X509_CRL_verify(made.get(), key) != 1) {
    TakeOpenSslError();
    return Error(Code::kInternal, "the CA key in the token does not belong to the CA certificate");
  }
  return der;
}

}  // namespace dare::crypto

#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <functional>
#include <string>
#include <vector>

#include "crypto/authority_for_test.h"
#include "crypto/signed_der.h"

namespace dare::crypto {

// Revocation lists as OpenSSL makes them, to be spoilt before they are signed. For tests only.
struct ListForTest {
  using CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;

  std::vector<std::string> serials = {"7b"};  // hex
  std::int64_t this_update = AuthorityForTest::kNow;
  std::int64_t next_update = AuthorityForTest::kNow + AuthorityForTest::kDay;  // 0: none
  Bytes number = {5};  // the CRL Number, positive; empty: none
  bool version_2 = true;
  std::function<void(X509_CRL*)> edit;
  std::function<void(X509_REVOKED*)> edit_entry;
  const EVP_MD* hash = EVP_sha256();
  bool pss = false;

  // `value` is DER.
  static ExtensionPtr Extension(int nid, bool critical, const Bytes& value) {
    const OctetsPtr octets(ASN1_OCTET_STRING_new());
    ASN1_OCTET_STRING_set(octets.get(), value.data(), static_cast<int>(value.size()));
    return ExtensionPtr(X509_EXTENSION_create_by_NID(nullptr, nid, critical ? 1 : 0, octets.get()));
  }
  static void Add(X509_CRL* crl, const ExtensionPtr& extension) {
    EXPECT_EQ(X509_CRL_add_ext(crl, extension.get(), -1), 1);
  }
  static void Add(X509_REVOKED* entry, const ExtensionPtr& extension) {
    EXPECT_EQ(X509_REVOKED_add_ext(entry, extension.get(), -1), 1);
  }
  // One that nobody knows.
  static ExtensionPtr Unknown(bool critical) {
    const std::unique_ptr<ASN1_OBJECT, FreeWith<ASN1_OBJECT_free>> oid(
        OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1));
    const OctetsPtr value(ASN1_OCTET_STRING_new());
    return ExtensionPtr(
        X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), critical ? 1 : 0, value.get()));
  }

  Bytes SignedBy(const AuthorityForTest& authority) const {
    return SignedBy(authority, authority.key());
  }
  // `key` may be another one than that of the authority whose name it has.
  Bytes SignedBy(const AuthorityForTest& authority, EVP_PKEY* key) const {
    const X509Ptr issuer = *DecodeCertificate(authority.certificate());
    const CrlPtr crl(X509_CRL_new());
    if (version_2) X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.get()));
    const TimePtr begins(ASN1_TIME_adj(nullptr, this_update, 0, 0));
    X509_CRL_set1_lastUpdate(crl.get(), begins.get());
    const TimePtr ends(ASN1_TIME_adj(nullptr, next_update, 0, 0));
    if (next_update != 0) X509_CRL_set1_nextUpdate(crl.get(), ends.get());
    for (const std::string& serial : serials) AddEntry(crl.get(), serial, begins.get());
    X509_CRL_sort(crl.get());
    if (!number.empty()) {
      Add(crl.get(), Extension(NID_crl_number, false, DerElement(V_ASN1_INTEGER, number)));
    }
    if (edit) edit(crl.get());
    Sign(crl.get(), key);
    unsigned char* encoded = nullptr;
    const int size = i2d_X509_CRL(crl.get(), &encoded);
    Bytes der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return der;
  }

 private:
  void AddEntry(X509_CRL* crl, const std::string& serial, ASN1_TIME* when) const {
    BIGNUM* read = nullptr;
    BN_hex2bn(&read, serial.c_str());
    const BnPtr bits(read);
    const std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>> integer(
        BN_to_ASN1_INTEGER(bits.get(), nullptr));
    X509_REVOKED* revoked = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(revoked, integer.get());
    X509_REVOKED_set_revocationDate(revoked, when);
    if (edit_entry) edit_entry(revoked);
    X509_CRL_add0_revoked(crl, revoked);
  }
  void Sign(X509_CRL* crl, EVP_PKEY* key) const {
    const std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    EVP_DigestSignInit(context.get(), &parameters, hash, nullptr, key);
    if (pss) EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    X509_CRL_sign_ctx(crl, context.get());
  }
};

// A list in PEM.
inline Bytes PemOf(ByteView der) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio(bio.get(), PEM_STRING_X509_CRL, "", der.data(), static_cast<long>(der.size()));
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return Bytes(text, text + size);
}

}  // namespace dare::crypto

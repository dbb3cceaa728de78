// The parts of ca.h that read and write what clients send and get: requests, certs-only, keys.
#include <arpa/inet.h>
#include <openssl/objects.h>

#include <string_view>

#include "crypto/x509.h"
#include "crypto/x509_handles.h"
#include "server/ca.h"

namespace dare::server {
namespace {

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;  // a larger one costs us more to check than it helps

bool IsCertifiedKind(EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_get_bits(key);
    return bits >= kLeastRsaBits && bits <= kMostRsaBits;
  }
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return false;
  char group[64] = "";
  if (EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1) return false;
  const int nid = OBJ_txt2nid(group);
  return nid == NID_X9_62_prime256v1 || nid == NID_secp384r1;
}

}  // namespace

Result<SigningRequest> SigningRequest::Parse(ByteView der) {
  const std::uint8_t* at = der.data();
  const crypto::X509ReqPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (request == nullptr || at != der.data() + der.size()) {
    crypto::TakeOpenSslError();
    return Error(Code::kMalformed, "not a certificate signing request (PKCS #10)");
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || !IsCertifiedKind(key)) {
    crypto::TakeOpenSslError();
    return Error(Code::kDenied, "the key must be P-256, P-384 or RSA of 2048 bits or more");
  }
  if (X509_REQ_verify(request.get(), key) != 1) {
    crypto::TakeOpenSslError();
    return Error(Code::kDenied, "the request is not signed with its own key");
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key, &encoded);
  if (size <= 0)
    return Error(Code::kInternal, "cannot encode a key: " + crypto::TakeOpenSslError());
  Bytes spki(encoded, encoded + size);
  OPENSSL_free(encoded);
  return SigningRequest(std::move(spki));
}

Result<Bytes> CertificatesOnly(const std::vector<const Certificate*>& certificates) {
  const crypto::Pkcs7Ptr message(PKCS7_new());
  bool done = message != nullptr && PKCS7_set_type(message.get(), NID_pkcs7_signed) == 1 &&
              PKCS7_content_new(message.get(), NID_pkcs7_data) == 1;
  if (done) PKCS7_set_detached(message.get(), 1);  // no content, as RFC 5272 wants it
  for (const Certificate* certificate : certificates) {
    const std::uint8_t* at = certificate->der.data();
    const crypto::X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(certificate->der.size())));
    done = done && x509 != nullptr && PKCS7_add_certificate(message.get(), x509.get()) == 1;
  }
  unsigned char* encoded = nullptr;
  const int size = done ? i2d_PKCS7(message.get(), &encoded) : 0;
  if (size <= 0) {
    return Error(Code::kInternal, "cannot encode certificates: " + crypto::TakeOpenSslError());
  }
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

Result<std::vector<std::string>> AlternativeNamesOf(const Certificate& certificate) {
  const std::uint8_t* at = certificate.der.data();
  const crypto::X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(certificate.der.size())));
  if (x509 == nullptr) return Error(Code::kMalformed, "not a certificate");
  const crypto::GeneralNamesPtr found(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(x509.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; found != nullptr && i < sk_GENERAL_NAME_num(found.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
    if (name->type == GEN_DNS) {
      const auto* text = ASN1_STRING_get0_data(name->d.dNSName);
      names.emplace_back(reinterpret_cast<const char*>(text), ASN1_STRING_length(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      const int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
      char text[INET6_ADDRSTRLEN] = "";
      if (::inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text)) {
        names.emplace_back(text);
      }
    }
  }
  return names;
}

Result<NewKey> MakeP256Key() {
  const crypto::PkeyPtr key(EVP_EC_gen("P-256"));
  // Memory BIOs of the secure kind wipe what they held.
  const crypto::BioPtr pem(BIO_new(BIO_s_secmem()));
  if (key == nullptr || PEM_write_bio_PKCS8PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0,
                                                      nullptr, nullptr) != 1) {
    return Error(Code::kInternal, "cannot make a key: " + crypto::TakeOpenSslError());
  }
  char* text = nullptr;
  const long length = BIO_get_mem_data(pem.get(), &text);
  NewKey made;
  made.private_pem = TRY(SecretBytes::CopyOf(
      {reinterpret_cast<const std::uint8_t*>(text), static_cast<std::size_t>(length)}));
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key.get(), &encoded);
  if (size <= 0)
    return Error(Code::kInternal, "cannot encode a key: " + crypto::TakeOpenSslError());
  made.public_der.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  return made;
}

}  // namespace dare::server

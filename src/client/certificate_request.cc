#include "client/certificate_request.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "client/tls_context.h"

namespace dare::client {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
  void operator()(PKCS7* message) const { PKCS7_free(message); }
};
template <typename T>
using Handle = std::unique_ptr<T, Free>;

Error Failed(std::string_view what) {
  return Error(Code::kInternal, std::string(what) + ": " + TakeTlsError());
}

ByteView ContentOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
}

Handle<X509> ParsePem(std::string_view pem) {
  const Handle<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Handle<X509> certificate(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  return certificate;
}

Handle<EVP_PKEY> ParseKey(const SecretBytes& pem) {
  const Handle<BIO> in(BIO_new_mem_buf(pem.Reveal().data(), static_cast<int>(pem.size())));
  Handle<EVP_PKEY> key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  return key;
}

Result<Bytes> SignRequest(EVP_PKEY* key, const std::string& common_name) {
  const Handle<X509_REQ> request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), 0) != 1 ||
      X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                                 -1, 0) != 1 ||
      X509_REQ_set_pubkey(request.get(), key) != 1 ||
      X509_REQ_sign(request.get(), key, EVP_sha256()) == 0) {
    return Failed("cannot make a certificate request");
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  if (size <= 0) return Failed("cannot encode a certificate request");
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace

Result<CertificateRequest> NewCertificateRequest(const std::string& common_name) {
  const Handle<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return Failed("cannot make a key");
  const Handle<BIO> pem(BIO_new(BIO_s_secmem()));
  if (!pem || PEM_write_bio_PKCS8PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1) {
    return Failed("cannot write a key");
  }
  CertificateRequest request;
  request.private_pem = TRY(SecretBytes::CopyOf(ContentOf(pem.get())));
  request.der = TRY(SignRequest(key.get(), common_name));
  return request;
}

Result<CertificateRequest> RequestForKey(SecretBytes private_pem, const std::string& common_name) {
  const Handle<EVP_PKEY> key = ParseKey(private_pem);
  if (!key) return Error(Code::kInvalidArgument, "the key file holds no private key");
  CertificateRequest request;
  request.der = TRY(SignRequest(key.get(), common_name));
  request.private_pem = std::move(private_pem);
  return request;
}

Result<std::vector<std::string>> CertificatesOf(ByteView pkcs7_der) {
  const unsigned char* at = pkcs7_der.data();
  const Handle<PKCS7> message(d2i_PKCS7(nullptr, &at, static_cast<long>(pkcs7_der.size())));
  ERR_clear_error();
  if (!message || !PKCS7_type_is_signed(message.get()) || message->d.sign == nullptr ||
      message->d.sign->cert == nullptr || sk_X509_num(message->d.sign->cert) == 0) {
    return Error(Code::kMalformed, "the answer holds no certificates");
  }
  std::vector<std::string> certificates;
  for (int i = 0; i < sk_X509_num(message->d.sign->cert); ++i) {
    const Handle<BIO> pem(BIO_new(BIO_s_mem()));
    if (!pem || PEM_write_bio_X509(pem.get(), sk_X509_value(message->d.sign->cert, i)) != 1) {
      return Failed("cannot write a certificate");
    }
    certificates.emplace_back(AsText(ContentOf(pem.get())));
  }
  return certificates;
}

Result<std::string> FingerprintOf(std::string_view certificate_pem) {
  const Handle<X509> certificate = ParsePem(certificate_pem);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!certificate || X509_digest(certificate.get(), EVP_sha256(), digest, &size) != 1) {
    return Error(Code::kMalformed, "not a certificate");
  }
  return ToHex({digest, size});
}

bool CertificateFitsKey(std::string_view certificate_pem, const SecretBytes& private_pem) {
  const Handle<X509> certificate = ParsePem(certificate_pem);
  const Handle<EVP_PKEY> key = ParseKey(private_pem);
  const bool fits = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fits;
}

Result<CertificateFacts> ReadCertificate(std::string_view certificate_pem) {
  const Handle<X509> certificate = ParsePem(certificate_pem);
  if (!certificate) return Error(Code::kMalformed, "not a certificate");
  CertificateFacts facts;
  char name[256] = "";
  if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                                sizeof name) > 0) {
    facts.common_name = name;
  }
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &time) != 1) {
    return Error(Code::kMalformed, "a certificate without an end");
  }
  facts.not_after = ::timegm(&time);
  return facts;
}

}  // namespace dare::client

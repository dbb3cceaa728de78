#include "crypto/certificate_request.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

#include "crypto/certificate.h"
#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

void FreeExtensions(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeWith<FreeExtensions>>;
using ConstraintsPtr = std::unique_ptr<BASIC_CONSTRAINTS, FreeWith<BASIC_CONSTRAINTS_free>>;
using BitStringPtr = std::unique_ptr<ASN1_BIT_STRING, FreeWith<ASN1_BIT_STRING_free>>;

Error NoRequest() {
  TakeOpenSslError();
  return Error(Code::kMalformed, "not a certificate signing request (PKCS #10)");
}

Result<X509ReqPtr> Decode(CertificateRequestFormat format, ByteView text) {
  if (format == CertificateRequestFormat::kPkcs10) {
    const std::uint8_t* at = text.data();
    X509ReqPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(text.size())));
    if (request == nullptr || at != text.data() + text.size()) return NoRequest();
    return request;
  }
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  X509ReqPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (request == nullptr) return NoRequest();
  // A second one would be ignored silently.
  if (X509ReqPtr(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr)) != nullptr) {
    return NoRequest();
  }
  TakeOpenSslError();
  return request;
}

std::uint32_t UsageOf(const ASN1_BIT_STRING* bits) {
  // The extension numbers its bits as KeyUsage does.
  std::uint32_t usage = 0;
  for (int bit = 0; bit <= 8; ++bit) {
    if (ASN1_BIT_STRING_get_bit(bits, bit) != 0) usage |= 1u << bit;
  }
  return usage;
}

Result<void> ReadExtensions(X509_REQ* request, CertificateRequest& read) {
  const ExtensionsPtr extensions(X509_REQ_get_extensions(request));
  for (int i = 0; extensions != nullptr && i < sk_X509_EXTENSION_num(extensions.get()); ++i) {
    X509_EXTENSION* extension = sk_X509_EXTENSION_value(extensions.get(), i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (nid == NID_subject_alt_name) {
      const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(X509V3_EXT_d2i(extension)));
      if (names == nullptr || !read.subject_alternatives.empty()) return NoRequest();
      const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
      read.subject_alternatives = ToBytes(
          {ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))});
    } else if (nid == NID_key_usage) {
      const BitStringPtr bits(static_cast<ASN1_BIT_STRING*>(X509V3_EXT_d2i(extension)));
      if (bits == nullptr || read.key_usage) return NoRequest();
      read.key_usage = UsageOf(bits.get());
    } else if (nid == NID_basic_constraints) {
      const ConstraintsPtr constraints(static_cast<BASIC_CONSTRAINTS*>(X509V3_EXT_d2i(extension)));
      if (constraints == nullptr) return NoRequest();
      read.authority |= constraints->ca != 0;
    }
  }
  return {};
}

}  // namespace

Result<CertificateRequest> ReadCertificateRequest(CertificateRequestFormat format, ByteView text) {
  const X509ReqPtr request = TRY(Decode(format, text));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr) return NoRequest();
  if (X509_REQ_verify(request.get(), key) != 1) {
    TakeOpenSslError();
    return Error(Code::kDenied, "the request is not signed with its own key");
  }
  CertificateRequest read;
  unsigned char* encoded = nullptr;
  int size = i2d_PUBKEY(key, &encoded);
  if (size <= 0) return NoRequest();
  read.public_key.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  encoded = nullptr;
  size = i2d_X509_NAME(X509_REQ_get_subject_name(request.get()), &encoded);
  if (size <= 0) return NoRequest();
  read.subject.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  TRY(ReadExtensions(request.get(), read));
  return read;
}

}  // namespace dare::crypto

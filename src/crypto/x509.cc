#include "crypto/x509.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>

#include "crypto/x509_handles.h"

namespace dare::crypto {

std::vector<std::string> NameEntries(const X509_NAME* name, int nid) {
  std::vector<std::string> values;
  int at = -1;
  while ((at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0) {
    const ASN1_STRING* data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char* utf8 = nullptr;
    const int length = ASN1_STRING_to_UTF8(&utf8, data);
    if (length < 0) continue;
    values.emplace_back(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(length));
    OPENSSL_free(utf8);
  }
  return values;
}

std::string NameEntry(const X509_NAME* name, int nid) {
  std::vector<std::string> values = NameEntries(name, nid);
  return values.empty() ? std::string() : std::move(values.back());
}

std::string ProvenName(const X509_NAME* name) {
  std::vector<std::string> values = NameEntries(name, NID_commonName);
  const int first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  // One that cannot be read counts as another one.
  if (values.size() != 1 || X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0) return {};
  const bool plain = std::none_of(values[0].begin(), values[0].end(),
                                  [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return plain ? std::move(values[0]) : std::string();
}

Result<std::string> NameText(const X509_NAME* name) {
  if (X509_NAME_entry_count(name) == 0) return std::string();
  const BioPtr bio(BIO_new(BIO_s_mem()));
  // Without ESC_MSB: other letters than those of ASCII stay readable UTF-8.
  const unsigned long flags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (bio == nullptr || X509_NAME_print_ex(bio.get(), name, 0, flags) < 0) {
    return Error(Code::kMalformed, "a name that cannot be read: " + TakeOpenSslError());
  }
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  std::string read(text, static_cast<std::size_t>(length));
  if (!IsValidUtf8(AsBytes(read))) return Error(Code::kMalformed, "a name that is not text");
  return read;
}

std::string SerialOf(const X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  if (number == nullptr) return {};
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  BN_free(number);
  const std::string hex = ToHex(bytes);
  const std::size_t first = hex.find_first_not_of('0');
  return first == std::string::npos ? "0" : hex.substr(first);
}

Result<Bytes> FingerprintOf(const X509* certificate) {
  Bytes digest(32);
  unsigned int length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) {
    return Error(Code::kInternal, "cannot hash a certificate: " + TakeOpenSslError());
  }
  return digest;
}

std::int64_t ToUnixTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return ::timegm(&parts);
}

std::string TakeOpenSslError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

Result<X509Ptr> DecodeCertificate(ByteView der) {
  const std::uint8_t* at = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate == nullptr || at != der.data() + der.size()) {
    TakeOpenSslError();
    return Error(Code::kMalformed, "not a certificate");
  }
  return certificate;
}

Result<PkeyPtr> DecodePublicKey(ByteView der) {
  const std::uint8_t* at = der.data();
  PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr || at != der.data() + der.size()) {
    TakeOpenSslError();
    return Error(Code::kMalformed, "not a public key");
  }
  return key;
}

}  // namespace dare::crypto

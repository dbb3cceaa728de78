#include "crypto/certificate_names.h"

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

constexpr int kMostNames = 64;  // more than any honest certificate has

Error Unreadable(const char* what) {
  TakeOpenSslError();
  return Error(Code::kMalformed, what);
}

std::string TextIn(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

bool HasControls(const std::string& text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool IsPrintableAscii(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

Result<std::string> ReadText(const ASN1_STRING* string) {
  std::string text = TextIn(string);
  switch (ASN1_STRING_type(string)) {
    case V_ASN1_UTF8STRING:
      if (!IsValidUtf8(AsBytes(text))) return Unreadable("a name that is not UTF-8");
      break;
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
      if (!IsPrintableAscii(text)) return Unreadable("a name that is not what its type says");
      break;
    default:
      return Unreadable("a name of an old string type");
  }
  if (HasControls(text)) return Unreadable("a name with control characters");
  return text;
}

Result<void> ReadSubject(const X509_NAME* subject, CertificateNames& names) {
  const int entries = X509_NAME_entry_count(subject);
  if (entries > kMostNames) return Unreadable("a subject of too many parts");
  for (int i = 0; i < entries; ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
    std::string text = TRY(ReadText(X509_NAME_ENTRY_get_data(entry)));
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    if (nid == NID_commonName) names.common_names.push_back(std::move(text));
    if (nid == NID_organizationalUnitName) names.units.push_back(std::move(text));
  }
  names.subject = TRY(NameText(subject));
  return {};
}

Result<void> ReadAlternatives(const X509* certificate, CertificateNames& names) {
  int critical = 0;
  const GeneralNamesPtr found(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (found == nullptr) {
    // -1: no such extension; anything else is one that cannot be read, or stands there twice.
    if (critical != -1) return Unreadable("alternative names that cannot be read");
    TakeOpenSslError();
    return {};
  }
  const int count = sk_GENERAL_NAME_num(found.get());
  if (count > kMostNames) return Unreadable("too many alternative names");
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
    std::vector<std::string>* to = nullptr;
    if (name->type == GEN_DNS) to = &names.hosts;
    if (name->type == GEN_URI) to = &names.uris;
    if (name->type == GEN_EMAIL) to = &names.emails;
    if (to == nullptr) continue;
    std::string text = TextIn(name->d.ia5);
    if (!IsPrintableAscii(text)) return Unreadable("an alternative name that is not ASCII");
    to->push_back(std::move(text));
  }
  return {};
}

}  // namespace

Result<CertificateNames> ReadNames(const X509* certificate) {
  CertificateNames names;
  TRY(ReadSubject(X509_get_subject_name(certificate), names));
  TRY(ReadAlternatives(certificate, names));
  return names;
}

}  // namespace dare::crypto

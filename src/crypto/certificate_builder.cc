#include "crypto/certificate_builder.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/signed_der.h"
#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

static_assert(kCommonNameNid == NID_commonName &&
              kSubjectKeyIdentifierNid == NID_subject_key_identifier &&
              kKeyUsageNid == NID_key_usage && kBasicConstraintsNid == NID_basic_constraints &&
              kAuthorityKeyIdentifierNid == NID_authority_key_identifier &&
              kExtendedKeyUsageNid == NID_ext_key_usage);
constexpr std::size_t kSerialBytes = 16;

Error X509Error(std::string_view what) {
  return Error(Code::kInternal, std::string(what) + ": " + TakeOpenSslError());
}

Result<void> SetSerial(X509* x509) {
  std::array<std::uint8_t, kSerialBytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    return Error(Code::kUnavailable, "the random generator failed");
  }
  random[0] = static_cast<std::uint8_t>((random[0] & 0x7f) | 0x40);  // positive, and of full length
  const BnPtr number(BN_bin2bn(random.data(), static_cast<int>(random.size()), nullptr));
  if (number == nullptr ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) == nullptr) {
    return X509Error("cannot make a serial number");
  }
  return {};
}

Result<void> AddExtensions(X509* x509, X509* issuer, const CertificatePlan& plan) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  for (const auto& [nid, value] : plan.extensions) {
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    if (extension == nullptr || X509_add_ext(x509, extension.get(), -1) != 1) {
      return X509Error("cannot add a certificate extension");
    }
  }
  if (plan.subject_alternatives.empty()) return {};
  const OctetsPtr names(ASN1_OCTET_STRING_new());
  if (names == nullptr ||
      ASN1_OCTET_STRING_set(names.get(), plan.subject_alternatives.data(),
                            static_cast<int>(plan.subject_alternatives.size())) != 1) {
    return X509Error("cannot add the alternative names");
  }
  const bool no_subject = X509_NAME_entry_count(X509_get_subject_name(x509)) == 0;
  const ExtensionPtr extension(
      X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, no_subject ? 1 : 0, names.get()));
  if (extension == nullptr || X509_add_ext(x509, extension.get(), -1) != 1) {
    return X509Error("cannot add the alternative names");
  }
  return {};
}

Result<Bytes> Sign(X509* x509, bool rsa, const DigestSigner& sign) {
  // The algorithm is named inside the signed part too; OpenSSL gives no other way to set it.
  auto* algorithm = const_cast<X509_ALGOR*>(X509_get0_tbs_sigalg(x509));
  const int nid = rsa ? NID_sha256WithRSAEncryption : NID_ecdsa_with_SHA256;
  if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), rsa ? V_ASN1_NULL : V_ASN1_UNDEF, nullptr) !=
      1) {
    return X509Error("cannot name the signature algorithm");
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_re_X509_tbs(x509, &encoded);
  if (size <= 0) return X509Error("cannot encode a certificate");
  Bytes body(encoded, encoded + size);
  OPENSSL_free(encoded);
  return SignedDer(std::move(body), rsa, sign);
}

Result<void> SetSubject(X509* x509, ByteView der) {
  const std::uint8_t* at = der.data();
  const NamePtr name(d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size())));
  if (name == nullptr || at != der.data() + der.size() ||
      X509_set_subject_name(x509, name.get()) != 1) {
    TakeOpenSslError();
    return Error(Code::kMalformed, "not a certificate name");
  }
  return {};
}

Result<Bytes> Encoded(const X509_NAME* name) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_NAME(name, &encoded);
  if (size <= 0) return X509Error("cannot encode a certificate name");
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

// RFC 5280, 4.1.2.4: PrintableString or UTF8String. Old readers know the first.
int PlainestType(const std::string& text) {
  constexpr std::string_view kPrintable = " '()+,-./:=?";
  const bool printable = std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPrintable.find(c) != kPrintable.npos;
  });
  return printable ? V_ASN1_PRINTABLESTRING : MBSTRING_UTF8;
}

template <typename TypeOf>
Result<Bytes> EncodeName(const std::vector<std::pair<int, std::string>>& attributes,
                         TypeOf type_of) {
  const NamePtr name(X509_NAME_new());
  bool done = name != nullptr;
  for (const auto& [nid, value] : attributes) {
    done = done && X509_NAME_add_entry_by_NID(name.get(), nid, type_of(value),
                                              reinterpret_cast<const unsigned char*>(value.data()),
                                              static_cast<int>(value.size()), -1, 0) == 1;
  }
  if (!done) return X509Error("cannot make a certificate name");
  return Encoded(name.get());
}

}  // namespace

Result<Bytes> BuildCertificate(const CertificatePlan& plan, ByteView issuer,
                               const DigestSigner& sign) {
  const X509Ptr x509(X509_new());
  const PkeyPtr key = TRY(DecodePublicKey(plan.public_key));
  X509Ptr authority;
  if (!issuer.empty()) authority = TRY(DecodeCertificate(issuer));
  X509* signer = authority != nullptr ? authority.get() : x509.get();
  std::int64_t until = plan.not_after;
  if (authority != nullptr) {
    until = std::min(until, ToUnixTime(X509_get0_notAfter(authority.get())));
  }
  if (until <= plan.not_before) {
    return Error(Code::kDenied, "the certificate authority has expired");
  }
  TRY(SetSerial(x509.get()));
  TRY(SetSubject(x509.get(), plan.subject));
  if (X509_set_version(x509.get(), X509_VERSION_3) != 1 ||
      ASN1_TIME_adj(X509_getm_notBefore(x509.get()), plan.not_before, 0, 0) == nullptr ||
      ASN1_TIME_adj(X509_getm_notAfter(x509.get()), until, 0, 0) == nullptr ||
      X509_set_pubkey(x509.get(), key.get()) != 1 ||
      X509_set_issuer_name(x509.get(), X509_get_subject_name(signer)) != 1) {
    return X509Error("cannot make a certificate");
  }
  TRY(AddExtensions(x509.get(), signer, plan));
  const bool rsa = EVP_PKEY_get_base_id(X509_get0_pubkey(signer)) == EVP_PKEY_RSA;
  Bytes der = TRY(Sign(x509.get(), rsa, sign));
  // A token that signs with another key, or badly, is found out here and not by the clients.
  const X509Ptr made = TRY(DecodeCertificate(der));
  if (X509_verify(made.get(), X509_get0_pubkey(signer)) != 1) {
    TakeOpenSslError();
    return Error(Code::kInternal, "the CA key in the token does not belong to the CA certificate");
  }
  return der;
}

Result<Bytes> EncodeName(const std::vector<std::pair<int, std::string>>& attributes) {
  return EncodeName(attributes, [](const std::string&) { return MBSTRING_UTF8; });
}

Result<Bytes> ParseName(const std::string& text) {
  const Error bad(Code::kInvalidArgument, "'" + text + "' is no name like CN=Example CA,O=Example");
  std::vector<std::pair<int, std::string>> attributes;
  if (text.find('\\') != std::string::npos || text.find('"') != std::string::npos) return bad;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, end - at);
    const std::size_t equals = part.find('=');
    const int nid =
        equals == std::string::npos ? NID_undef : OBJ_txt2nid(part.substr(0, equals).c_str());
    if (nid == NID_undef || equals + 1 == part.size()) return bad;
    attributes.emplace_back(nid, part.substr(equals + 1));
    at = end + 1;
  }
  std::reverse(attributes.begin(), attributes.end());
  Result<Bytes> name = EncodeName(attributes, PlainestType);
  if (!name) return bad;
  return name;
}

}  // namespace dare::crypto

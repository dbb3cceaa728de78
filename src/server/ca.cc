#include "server/ca.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "server/x509.h"
#include "server/x509_handles.h"

namespace dare::server {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kClockSkew = 300;  // certificates begin a little in the past
constexpr std::size_t kSerialBytes = 16;

// AlgorithmIdentifier of ecdsa-with-SHA256. RFC 5758, section 3.2.
constexpr std::array<std::uint8_t, 12> kEcdsaSha256 = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

Error X509Error(std::string_view what) {
  return Error(Code::kInternal, std::string(what) + ": " + TakeOpenSslError());
}

// One DER element. X.690, sections 8.1.3 and 10.1.
Bytes DerElement(std::uint8_t tag, ByteView content) {
  Bytes out{tag};
  if (content.size() < 0x80) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    int octets = 1;
    while (content.size() >> (8 * octets) != 0) ++octets;
    out.push_back(static_cast<std::uint8_t>(0x80 | octets));
    for (int i = octets - 1; i >= 0; --i) {
      out.push_back(static_cast<std::uint8_t>(content.size() >> (8 * i)));
    }
  }
  Append(out, content);
  return out;
}

// What goes into one certificate.
struct Plan {
  Subject subject;
  ByteView public_key;
  std::int64_t days;
  std::vector<std::pair<int, std::string>> extensions;  // NID and OpenSSL's text form
};

Result<PkeyPtr> ParsePublicKey(ByteView der) {
  const std::uint8_t* at = der.data();
  PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr || at != der.data() + der.size()) {
    TakeOpenSslError();
    return Error(Code::kMalformed, "not a public key");
  }
  return key;
}

Result<X509Ptr> ParseCertificate(ByteView der) {
  const std::uint8_t* at = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate == nullptr || at != der.data() + der.size()) {
    TakeOpenSslError();
    return Error(Code::kMalformed, "not a certificate");
  }
  return certificate;
}

Result<Certificate> Describe(Bytes der, const X509* x509) {
  Certificate certificate;
  certificate.der = std::move(der);
  const X509_NAME* name = X509_get_subject_name(x509);
  certificate.subject.common_name = NameEntry(name, NID_commonName);
  certificate.subject.units = NameEntries(name, NID_organizationalUnitName);
  certificate.serial = SerialOf(x509);
  certificate.fingerprint = ToHex(TRY(FingerprintOf(x509)));
  certificate.not_before = ToUnixTime(X509_get0_notBefore(x509));
  certificate.not_after = ToUnixTime(X509_get0_notAfter(x509));
  return certificate;
}

Result<void> SetName(X509_NAME* name, const Subject& subject) {
  const auto add = [&](int nid, const std::string& value) {
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  bool done = true;
  for (const std::string& unit : subject.units)
    done = done && add(NID_organizationalUnitName, unit);
  done = done && add(NID_commonName, subject.common_name);
  if (!done) return X509Error("cannot make a certificate name");
  return {};
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

Result<void> AddExtensions(X509* x509, X509* issuer, const Plan& plan) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  for (const auto& [nid, value] : plan.extensions) {
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    if (extension == nullptr || X509_add_ext(x509, extension.get(), -1) != 1) {
      return X509Error("cannot add a certificate extension");
    }
  }
  return {};
}

// The key is where OpenSSL cannot sign with it, so the three parts of a certificate are put
// together here. RFC 5280, section 4.1.
Result<Bytes> Sign(X509* x509, const DigestSigner& sign) {
  // The algorithm is named inside the signed part too; OpenSSL gives no other way to set it.
  auto* algorithm = const_cast<X509_ALGOR*>(X509_get0_tbs_sigalg(x509));
  if (X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_ecdsa_with_SHA256), V_ASN1_UNDEF, nullptr) != 1) {
    return X509Error("cannot name the signature algorithm");
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_re_X509_tbs(x509, &encoded);
  if (size <= 0) return X509Error("cannot encode a certificate");
  Bytes body(encoded, encoded + size);
  OPENSSL_free(encoded);
  Bytes digest(32);
  if (EVP_Digest(body.data(), body.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    return X509Error("cannot hash a certificate");
  }
  Bytes bits{0};  // no unused bits
  Append(bits, TRY(sign(digest)));
  Append(body, kEcdsaSha256);
  Append(body, DerElement(V_ASN1_BIT_STRING, bits));
  return DerElement(V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED, body);
}

// Builds, signs and checks one certificate; `issuer` is null for a root.
Result<Certificate> Issue(const Plan& plan, X509* issuer, const DigestSigner& sign,
                          const Clock& clock) {
  TRY(CheckSubject(plan.subject));
  const X509Ptr x509(X509_new());
  const PkeyPtr key = TRY(ParsePublicKey(plan.public_key));
  X509* signer = issuer != nullptr ? issuer : x509.get();
  const std::int64_t now = clock.Now();
  std::int64_t until = now + plan.days * kDay;
  if (issuer != nullptr) until = std::min(until, ToUnixTime(X509_get0_notAfter(issuer)));
  if (until <= now) return Error(Code::kDenied, "the certificate authority has expired");
  TRY(SetSerial(x509.get()));
  TRY(SetName(X509_get_subject_name(x509.get()), plan.subject));
  if (X509_set_version(x509.get(), X509_VERSION_3) != 1 ||
      ASN1_TIME_adj(X509_getm_notBefore(x509.get()), now - kClockSkew, 0, 0) == nullptr ||
      ASN1_TIME_adj(X509_getm_notAfter(x509.get()), until, 0, 0) == nullptr ||
      X509_set_pubkey(x509.get(), key.get()) != 1 ||
      X509_set_issuer_name(x509.get(), X509_get_subject_name(signer)) != 1) {
    return X509Error("cannot make a certificate");
  }
  TRY(AddExtensions(x509.get(), signer, plan));
  Bytes der = TRY(Sign(x509.get(), sign));
  // A token that signs with another key, or badly, is found out here and not by the clients.
  const X509Ptr made = TRY(ParseCertificate(der));
  if (X509_verify(made.get(), X509_get0_pubkey(signer)) != 1) {
    TakeOpenSslError();
    return Error(Code::kInternal, "the CA key in the token does not belong to the CA certificate");
  }
  return Describe(std::move(der), made.get());
}

// "DNS:…" or "IP:…"; names come from the configuration and must not add entries of their own.
Result<std::string> AlternativeName(const std::string& name) {
  std::array<std::uint8_t, 16> scratch{};
  if (::inet_pton(AF_INET, name.c_str(), scratch.data()) == 1 ||
      ::inet_pton(AF_INET6, name.c_str(), scratch.data()) == 1) {
    return "IP:" + name;
  }
  const bool lawful = !name.empty() && name.size() <= 253 &&
                      std::all_of(name.begin(), name.end(), [](unsigned char c) {
                        return std::isalnum(c) != 0 || c == '.' || c == '-';
                      });
  if (!lawful) {
    return Error(Code::kInvalidArgument, "'" + name + "' is neither a host name nor an IP address");
  }
  return "DNS:" + name;
}

}  // namespace

Result<void> CheckSubject(const Subject& subject) {
  constexpr std::size_t kUpperBound = 64;  // ub-common-name, ub-organizational-unit-name
  const auto lawful = [](const std::string& text) {
    return !text.empty() && text.size() <= kUpperBound && IsValidUtf8(AsBytes(text)) &&
           std::none_of(text.begin(), text.end(),
                        [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  };
  if (!lawful(subject.common_name) ||
      !std::all_of(subject.units.begin(), subject.units.end(), lawful)) {
    return Error(Code::kInvalidArgument,
                 "a name must have 1 to 64 bytes of UTF-8 without control characters");
  }
  return {};
}

std::string ToPem(const Certificate& certificate) {
  const std::string base64 = ToBase64(certificate.der);
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t i = 0; i < base64.size(); i += 64) pem += base64.substr(i, 64) + "\n";
  return pem + "-----END CERTIFICATE-----\n";
}

Result<Certificate> ParseCertificatePem(ByteView pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const X509Ptr x509(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (x509 == nullptr) {
    TakeOpenSslError();
    return Error(Code::kMalformed, "not a certificate in PEM");
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(x509.get(), &encoded);
  if (size <= 0) return X509Error("cannot encode a certificate");
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return Describe(std::move(der), x509.get());
}

Result<Certificate> CertificateAuthority::MakeRoot(const std::string& name, ByteView public_key_der,
                                                   std::int64_t days, const DigestSigner& sign,
                                                   const Clock& clock) {
  Plan plan{{name, {}}, public_key_der, days, {}};
  plan.extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                     {NID_key_usage, "critical,keyCertSign,cRLSign"},
                     {NID_subject_key_identifier, "hash"}};
  return Issue(plan, nullptr, sign, clock);
}

Result<CertificateAuthority> CertificateAuthority::Open(Certificate root, DigestSigner sign,
                                                        const Clock& clock) {
  const X509Ptr x509 = TRY(ParseCertificate(root.der));
  if (X509_check_ca(x509.get()) == 0) {
    return Error(Code::kInvalidArgument, "the CA certificate may not sign certificates");
  }
  if (EVP_PKEY_get_base_id(X509_get0_pubkey(x509.get())) != EVP_PKEY_EC) {
    return Error(Code::kInvalidArgument, "the CA certificate has no elliptic curve key");
  }
  return CertificateAuthority(std::move(root), std::move(sign), clock);
}

Result<Certificate> CertificateAuthority::IssueClient(const Subject& subject,
                                                      const SigningRequest& request,
                                                      std::int64_t days) const {
  const X509Ptr issuer = TRY(ParseCertificate(root_.der));
  Plan plan{subject, request.public_key_der(), days, {}};
  plan.extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                     {NID_key_usage, "critical,digitalSignature"},
                     {NID_ext_key_usage, "clientAuth"},
                     {NID_subject_key_identifier, "hash"},
                     {NID_authority_key_identifier, "keyid:always"}};
  return Issue(plan, issuer.get(), sign_, *clock_);
}

Result<Certificate> CertificateAuthority::IssueServer(const std::vector<std::string>& names,
                                                      ByteView public_key_der,
                                                      std::int64_t days) const {
  if (names.empty()) return Error(Code::kInvalidArgument, "a server certificate needs a name");
  const X509Ptr issuer = TRY(ParseCertificate(root_.der));
  std::string alternatives;
  for (const std::string& name : names) {
    alternatives += (alternatives.empty() ? "" : ",") + TRY(AlternativeName(name));
  }
  Plan plan{{names.front().substr(0, 64), {}}, public_key_der, days, {}};
  plan.extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                     {NID_key_usage, "critical,digitalSignature"},
                     {NID_ext_key_usage, "serverAuth"},
                     {NID_subject_alt_name, alternatives},
                     {NID_subject_key_identifier, "hash"},
                     {NID_authority_key_identifier, "keyid:always"}};
  return Issue(plan, issuer.get(), sign_, *clock_);
}

}  // namespace dare::server

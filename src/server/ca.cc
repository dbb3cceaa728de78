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

#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::server {
namespace {

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kClockSkew = 300;  // certificates begin a little in the past

Error X509Error(std::string_view what) {
  return Error(Code::kInternal, std::string(what) + ": " + crypto::TakeOpenSslError());
}

// What goes into one certificate.
struct Plan {
  Subject subject;
  ByteView public_key;
  std::int64_t days;
  std::vector<std::pair<int, std::string>> extensions;  // NID and OpenSSL's text form
};

Result<Certificate> Describe(Bytes der, const X509* x509) {
  Certificate certificate;
  certificate.der = std::move(der);
  const X509_NAME* name = X509_get_subject_name(x509);
  certificate.subject.common_name = crypto::NameEntry(name, NID_commonName);
  certificate.subject.units = crypto::NameEntries(name, NID_organizationalUnitName);
  certificate.serial = crypto::SerialOf(x509);
  certificate.fingerprint = ToHex(TRY(crypto::FingerprintOf(x509)));
  certificate.not_before = crypto::ToUnixTime(X509_get0_notBefore(x509));
  certificate.not_after = crypto::ToUnixTime(X509_get0_notAfter(x509));
  return certificate;
}

// Builds and signs one certificate; `issuer` is null for a root.
Result<Certificate> Issue(const Plan& plan, const Certificate* issuer,
                          const crypto::DigestSigner& sign, const Clock& clock) {
  TRY(CheckSubject(plan.subject));
  std::vector<std::pair<int, std::string>> name;
  for (const std::string& unit : plan.subject.units) {
    name.emplace_back(NID_organizationalUnitName, unit);
  }
  name.emplace_back(NID_commonName, plan.subject.common_name);
  const std::int64_t now = clock.Now();
  const ByteView authority = issuer != nullptr ? ByteView(issuer->der) : ByteView();
  if (issuer != nullptr && issuer->not_after <= now) {
    return Error(Code::kDenied, "the certificate authority has expired");
  }
  crypto::CertificatePlan made;
  made.subject = TRY(crypto::EncodeName(name));
  made.public_key = ToBytes(plan.public_key);
  made.not_before = now - kClockSkew;
  made.not_after = now + plan.days * kDay;
  made.extensions = plan.extensions;
  Bytes der = TRY(crypto::BuildCertificate(made, authority, sign));
  const crypto::X509Ptr x509 = TRY(crypto::DecodeCertificate(der));
  return Describe(std::move(der), x509.get());
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
  const crypto::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const crypto::X509Ptr x509(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (x509 == nullptr) {
    crypto::TakeOpenSslError();
    return Error(Code::kMalformed, "not a certificate in PEM");
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(x509.get(), &encoded);
  if (size <= 0) return X509Error("cannot encode a certificate");
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return Describe(std::move(der), x509.get());
}

Result<std::vector<Certificate>> AuthoritiesAbove(const std::string& file) {
  const Bytes pem = TRY(ReadFile(file));
  std::vector<Bytes> all = TRY(crypto::ParseCertificatesPem(pem));
  std::vector<Certificate> above;
  for (auto der = all.begin() + 1; der != all.end(); ++der) {
    const crypto::X509Ptr x509 = TRY(crypto::DecodeCertificate(*der));
    above.push_back(TRY(Describe(std::move(*der), x509.get())));
  }
  return above;
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
  const crypto::X509Ptr x509 = TRY(crypto::DecodeCertificate(root.der));
  if (X509_check_ca(x509.get()) == 0) {
    return Error(Code::kInvalidArgument, "the CA certificate may not sign certificates");
  }
  const int family = EVP_PKEY_get_base_id(X509_get0_pubkey(x509.get()));
  if (family != EVP_PKEY_EC && family != EVP_PKEY_RSA) {
    return Error(Code::kInvalidArgument,
                 "the CA certificate has a key that is neither of an elliptic curve nor of RSA");
  }
  return CertificateAuthority(std::move(root), std::move(sign), clock);
}

Result<Certificate> CertificateAuthority::IssueClient(const Subject& subject,
                                                      const SigningRequest& request,
                                                      std::int64_t days) const {
  Plan plan{subject, request.public_key_der(), days, {}};
  plan.extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                     {NID_key_usage, "critical,digitalSignature"},
                     {NID_ext_key_usage, "clientAuth"},
                     {NID_subject_key_identifier, "hash"},
                     {NID_authority_key_identifier, "keyid:always"}};
  if (!list_url_.empty()) {
    plan.extensions.emplace_back(NID_crl_distribution_points, "URI:" + list_url_);
  }
  return Issue(plan, &root_, sign_, *clock_);
}

Result<Certificate> CertificateAuthority::IssueServer(const std::vector<std::string>& names,
                                                      ByteView public_key_der,
                                                      std::int64_t days) const {
  if (names.empty()) return Error(Code::kInvalidArgument, "a server certificate needs a name");
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
  return Issue(plan, &root_, sign_, *clock_);
}

}  // namespace dare::server

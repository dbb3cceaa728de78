#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret_bytes.h"
#include "crypto/certificate_builder.h"
#include "crypto/crl_builder.h"

namespace dare::server {

using crypto::DigestSigner;

// Who a certificate names. Both are UTF-8 without control characters, at most 64 characters each
// (RFC 5280, upper bounds).
struct Subject {
  std::string common_name;
  std::vector<std::string> units;  // OU: role and groups
};
Result<void> CheckSubject(const Subject& subject);

struct Certificate {
  Bytes der;
  Subject subject;
  std::string serial;       // lower-case hex
  std::string fingerprint;  // SHA-256, lower-case hex
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
};

std::string ToPem(const Certificate& certificate);
// The first certificate in a PEM text, and its names.
Result<Certificate> ParseCertificatePem(ByteView pem);
// What follows the first certificate in a PEM file of an authority: those above it.
Result<std::vector<Certificate>> AuthoritiesAbove(const std::string& file);
// The host names and IP addresses in its subjectAltName.
Result<std::vector<std::string>> AlternativeNamesOf(const Certificate& certificate);
// A certs-only message: SignedData without signatures. RFC 5272, section 4.1; RFC 7030, 4.1.3.
Result<Bytes> CertificatesOnly(const std::vector<const Certificate*>& certificates);

// A certificate signing request (PKCS #10) whose own signature was checked and whose key is of a
// kind we certify: P-256, P-384, RSA of 2048 to 8192 bits. What it wants to be called is not read.
class SigningRequest {
 public:
  static Result<SigningRequest> Parse(ByteView der);
  const Bytes& public_key_der() const { return public_key_; }  // SubjectPublicKeyInfo

 private:
  explicit SigningRequest(Bytes public_key) : public_key_(std::move(public_key)) {}
  Bytes public_key_;
};

// A CertificateAuthority issues certificates under one root, whose P-256 key it reaches only
// through `sign`. Thread-safe where the signer is.
class CertificateAuthority {
 public:
  // The root itself, signed with its own key: for `dare-kms init`.
  static Result<Certificate> MakeRoot(const std::string& name, ByteView public_key_der,
                                      std::int64_t days, const DigestSigner& sign,
                                      const Clock& clock = SystemClock::Get());

  // kInvalidArgument when `root` is no certificate authority with a P-256 key.
  static Result<CertificateAuthority> Open(Certificate root, DigestSigner sign,
                                           const Clock& clock = SystemClock::Get());

  // For a KMIP or EST client: digital signature, client authentication.
  Result<Certificate> IssueClient(const Subject& subject, const SigningRequest& request,
                                  std::int64_t days) const;
  // For our listeners; `names` are host names or numeric IP addresses (subjectAltName).
  Result<Certificate> IssueServer(const std::vector<std::string>& names, ByteView public_key_der,
                                  std::int64_t days) const;
  // The list of what is revoked, DER. kDenied when the root has expired.
  Result<Bytes> SignList(const crypto::CrlPlan& plan) const {
    return crypto::BuildCrl(plan, root_.der, sign_);
  }
  // Where that list is found; clients' certificates name it from now on. Before others use it.
  void SetListUrl(std::string url) { list_url_ = std::move(url); }
  const Certificate& root() const { return root_; }

 private:
  CertificateAuthority(Certificate root, DigestSigner sign, const Clock& clock)
      : root_(std::move(root)), sign_(std::move(sign)), clock_(&clock) {}

  Certificate root_;
  DigestSigner sign_;
  std::string list_url_;  // empty: certificates name no list
  const Clock* clock_;
};

// A fresh P-256 key: the private part as PEM (PKCS #8), the public one as SubjectPublicKeyInfo.
struct NewKey {
  SecretBytes private_pem;
  Bytes public_der;
};
Result<NewKey> MakeP256Key();

}  // namespace dare::server

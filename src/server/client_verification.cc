#include "server/client_verification.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstring>

#include "crypto/x509.h"

namespace dare::server {
namespace {

bool IsRevokedBy(const Revocation* revocation, const X509* certificate) {
  if (revocation == nullptr) return false;
  return revocation->IsRevoked(
      crypto::SerialOf(certificate),
      crypto::NameEntry(X509_get_subject_name(certificate), NID_commonName));
}

bool IsLockedOutBy(const Revocation* revocation, const X509* certificate) {
  if (revocation == nullptr) return false;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  return revocation->IsLockedOut(crypto::NameEntry(subject, NID_commonName),
                                 crypto::NameEntries(subject, NID_organizationalUnitName));
}

}  // namespace

std::size_t ClientVerification::FingerprintHash::operator()(const Fingerprint& f) const {
  std::size_t hash = 0;
  std::memcpy(&hash, f.data(), sizeof hash);
  return hash;
}

int ClientVerification::Verify(X509_STORE_CTX* context) {
  const X509* leaf = X509_STORE_CTX_get0_cert(context);
  const auto digest = leaf != nullptr ? crypto::FingerprintOf(leaf) : Error(Code::kMalformed, "");
  if (!digest) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
    return 0;
  }
  Fingerprint fingerprint;
  std::copy(digest->begin(), digest->end(), fingerprint.begin());
  if (!Remembered(fingerprint)) {
    X509_STORE_CTX_set_time(context, 0, clock_.Now());
    if (X509_verify_cert(context) != 1) return 0;
    Remember(fingerprint, context);
  }
  if (IsRevokedBy(revocation_, leaf)) {
    X509_STORE_CTX_set_error(
        context, revocation_->IsKnown() ? X509_V_ERR_CERT_REVOKED : X509_V_ERR_UNSPECIFIED);
    return 0;
  }
  if (IsLockedOutBy(revocation_, leaf)) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_CERT_REJECTED);
    return 0;
  }
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

bool ClientVerification::StillGood(const X509* certificate) const {
  const std::int64_t now = clock_.Now();
  return crypto::ToUnixTime(X509_get0_notBefore(certificate)) <= now &&
         now <= crypto::ToUnixTime(X509_get0_notAfter(certificate)) &&
         !IsRevokedBy(revocation_, certificate) && !IsLockedOutBy(revocation_, certificate);
}

bool ClientVerification::Remembered(const Fingerprint& fingerprint) {
  const std::int64_t now = clock_.Now();
  const MutexLock lock(mutex_);
  const auto found = verified_.find(fingerprint);
  if (found == verified_.end()) return false;
  if (found->second.from <= now && now <= found->second.until) return true;
  verified_.erase(found);  // the full verification says what is wrong now
  return false;
}

void ClientVerification::Remember(const Fingerprint& fingerprint, X509_STORE_CTX* context) {
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  Validity validity{INT64_MIN, INT64_MAX};
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* certificate = sk_X509_value(chain, i);
    validity.from = std::max(validity.from, crypto::ToUnixTime(X509_get0_notBefore(certificate)));
    validity.until = std::min(validity.until, crypto::ToUnixTime(X509_get0_notAfter(certificate)));
  }
  const MutexLock lock(mutex_);
  // Only holders of certificates from our authority get here, so emptying it now and then is
  // enough.
  if (verified_.size() >= kMostRemembered) verified_.clear();
  verified_.emplace(fingerprint, validity);
}

}  // namespace dare::server

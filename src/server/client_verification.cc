#include "server/client_verification.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "crypto/authorities.h"
#include "crypto/certificate_names.h"
#include "crypto/x509.h"
#include "server/issued_chain.h"

namespace dare::server {
namespace {

using Fingerprint = std::array<std::uint8_t, 32>;

std::optional<Fingerprint> FingerprintIn(const X509* certificate) {
  if (certificate == nullptr) return std::nullopt;
  const auto digest = crypto::FingerprintOf(certificate);
  if (!digest) return std::nullopt;
  Fingerprint fingerprint;
  std::copy(digest->begin(), digest->end(), fingerprint.begin());
  return fingerprint;
}

// The authorities that vouch for the certificate, the nearest first.
Result<std::vector<Bytes>> ChainAbove(X509_STORE_CTX* context) {
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  std::vector<Bytes> above;
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    above.push_back(TRY(crypto::FingerprintOf(sk_X509_value(chain, i))));
  }
  return above;
}

}  // namespace

std::shared_ptr<const IssuedChain> ClientVerification::ChainOf(X509_STORE_CTX* context) const {
  if (authorities_ == nullptr) return nullptr;
  const STACK_OF(X509)* certificates = X509_STORE_CTX_get0_chain(context);
  const int size = sk_X509_num(certificates);
  auto chain = std::make_shared<IssuedChain>();
  for (int i = 0; i < size; ++i) {
    X509* certificate = sk_X509_value(certificates, i);
    const X509* above = i + 1 < size ? sk_X509_value(certificates, i + 1) : nullptr;
    const auto issuer = authorities_->IssuerOf(certificate, above);
    // The last one is trusted for itself: only a list that is read here could be about it.
    if (above == nullptr && !issuer) continue;
    chain->links.push_back({issuer, crypto::SerialContentOf(certificate)});
  }
  return chain;
}

bool ClientVerification::ListsSpeakAgainst(const VerifiedClient& who) const {
  return revocation_ != nullptr && who.chain != nullptr &&
         revocation_->OnLists(*who.chain) != Standing::kGood;
}

Standing ClientVerification::StandingOf(const X509* certificate, const VerifiedClient& who) const {
  if (revocation_ == nullptr) return Standing::kGood;
  return revocation_->StandingOf(crypto::SerialOf(certificate), who.identity.name, who.chain.get());
}

bool ClientVerification::IsLockedOut(const Identity& who) const {
  return revocation_ != nullptr && revocation_->IsLockedOut(who.name, who.units);
}

std::size_t ClientVerification::FingerprintHash::operator()(const Fingerprint& f) const {
  std::size_t hash = 0;
  std::memcpy(&hash, f.data(), sizeof hash);
  return hash;
}

Result<Identity> ClientVerification::Identify(X509_STORE_CTX* context) const {
  const X509* leaf = X509_STORE_CTX_get0_cert(context);
  if (principals_ != nullptr && !principals_->empty()) {
    const std::vector<Bytes> above = TRY(ChainAbove(context));
    if (!principals_->NamesItself(above)) {
      return principals_->Identify(TRY(crypto::ReadNames(leaf)), above);
    }
  }
  const X509_NAME* subject = X509_get_subject_name(leaf);
  return Identity{crypto::ProvenName(subject),
                  crypto::NameEntries(subject, NID_organizationalUnitName)};
}

int ClientVerification::Verify(X509_STORE_CTX* context,
                               std::shared_ptr<const VerifiedClient>& who) {
  const X509* leaf = X509_STORE_CTX_get0_cert(context);
  const auto fingerprint = FingerprintIn(leaf);
  if (!fingerprint) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
    return 0;
  }
  who = Remembered(*fingerprint);
  // An authority whose certificate was revoked may have another one by now: look at what came.
  if (who == nullptr || ListsSpeakAgainst(*who)) {
    X509_STORE_CTX_set_time(context, 0, clock_.Now());
    if (X509_verify_cert(context) != 1) return 0;
    Result<Identity> identity = Identify(context);
    if (!identity) {
      log::Info("a client certificate names nobody here: " + identity.error().message);
      X509_STORE_CTX_set_error(context, kNamesNobody);
      return 0;
    }
    who = std::make_shared<const VerifiedClient>(
        VerifiedClient{*std::move(identity), ChainOf(context)});
    Remember(*fingerprint, context, who);
  }
  const Standing standing = StandingOf(leaf, *who);
  if (standing != Standing::kGood) {
    X509_STORE_CTX_set_error(
        context, standing == Standing::kRevoked ? X509_V_ERR_CERT_REVOKED : X509_V_ERR_UNSPECIFIED);
    return 0;
  }
  if (IsLockedOut(who->identity)) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_CERT_REJECTED);
    return 0;
  }
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

std::shared_ptr<const VerifiedClient> ClientVerification::StillGood(const X509* certificate) const {
  const auto fingerprint = FingerprintIn(certificate);
  std::shared_ptr<const VerifiedClient> who = fingerprint ? Remembered(*fingerprint) : nullptr;
  const bool good = who != nullptr && StandingOf(certificate, *who) == Standing::kGood &&
                    !IsLockedOut(who->identity);
  return good ? who : nullptr;
}

std::shared_ptr<const VerifiedClient> ClientVerification::Remembered(
    const Fingerprint& fingerprint) const {
  const std::int64_t now = clock_.Now();
  const MutexLock lock(mutex_);
  const auto found = verified_.find(fingerprint);
  if (found == verified_.end()) return nullptr;
  const Known& known = found->second;
  // Past its time the full verification says what is wrong.
  return known.from <= now && now <= known.until ? known.who : nullptr;
}

void ClientVerification::Remember(const Fingerprint& fingerprint, X509_STORE_CTX* context,
                                  std::shared_ptr<const VerifiedClient> who) {
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context);
  Known known{INT64_MIN, INT64_MAX, std::move(who)};
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* certificate = sk_X509_value(chain, i);
    known.from = std::max(known.from, crypto::ToUnixTime(X509_get0_notBefore(certificate)));
    known.until = std::min(known.until, crypto::ToUnixTime(X509_get0_notAfter(certificate)));
  }
  const MutexLock lock(mutex_);
  // Only holders of certificates from our authorities get here, so emptying it now and then is
  // enough.
  if (verified_.size() >= kMostRemembered) verified_.clear();
  verified_.insert_or_assign(fingerprint, std::move(known));
}

}  // namespace dare::server

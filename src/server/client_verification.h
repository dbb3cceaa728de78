#pragma once

#include <openssl/ossl_typ.h>

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "server/principal_rules.h"
#include "server/revocation.h"

namespace dare::crypto {
class Authorities;
}

namespace dare::server {

// Who a certificate that was verified is.
struct VerifiedClient {
  Identity identity;
  std::shared_ptr<const IssuedChain> chain;  // null where no lists are read
};

// ClientVerification decides on client certificates during a handshake and remembers which chains
// it has verified: the same certificate a second time costs a hash, not two signature checks. What
// may change (time, revocation) is checked every time. Thread-safe. For tls.cc only.
class ClientVerification {
 public:
  // `principals` null: the common name decides. `authorities` are those whose revocation lists are
  // read; null: nobody's.
  ClientVerification(const Revocation* revocation, const Clock& clock,
                     std::shared_ptr<const PrincipalRules> principals,
                     const crypto::Authorities* authorities)
      : revocation_(revocation),
        clock_(clock),
        principals_(std::move(principals)),
        authorities_(authorities) {}

  // In the way of X509_verify_cert: 1 when good, and who it is; else 0 and the reason
  // (X509_V_ERR_…) in `context`, from which TLS takes its alert. The reason of a certificate that
  // is nobody's is kNamesNobody.
  static constexpr int kNamesNobody =
      62;  // X509_V_ERR_HOSTNAME_MISMATCH: no host is asked for here
  int Verify(X509_STORE_CTX* context, std::shared_ptr<const VerifiedClient>& who) EXCLUDES(mutex_);
  // For a session that comes from a ticket: who it is when the certificate is remembered, still
  // within its time and not revoked; else null.
  std::shared_ptr<const VerifiedClient> StillGood(const X509* certificate) const EXCLUDES(mutex_);

 private:
  using Fingerprint = std::array<std::uint8_t, 32>;
  struct FingerprintHash {
    std::size_t operator()(const Fingerprint& f) const;
  };
  struct Known {
    std::int64_t from = 0, until = 0;  // of the whole chain
    std::shared_ptr<const VerifiedClient> who;
  };
  static constexpr std::size_t kMostRemembered = 16384;

  // Null for a certificate that is not known, or not any more or not yet within its time.
  std::shared_ptr<const VerifiedClient> Remembered(const Fingerprint& fingerprint) const
      EXCLUDES(mutex_);
  void Remember(const Fingerprint& fingerprint, X509_STORE_CTX* context,
                std::shared_ptr<const VerifiedClient> who) EXCLUDES(mutex_);
  Result<Identity> Identify(X509_STORE_CTX* context) const;
  std::shared_ptr<const IssuedChain> ChainOf(X509_STORE_CTX* context) const;
  bool ListsSpeakAgainst(const VerifiedClient& who) const;
  Standing StandingOf(const X509* certificate, const VerifiedClient& who) const;
  bool IsLockedOut(const Identity& who) const;

  const Revocation* const revocation_;  // may be null
  const Clock& clock_;
  const std::shared_ptr<const PrincipalRules> principals_;  // may be null
  const crypto::Authorities* const authorities_;            // may be null
  mutable Mutex mutex_;
  std::unordered_map<Fingerprint, Known, FingerprintHash> verified_ GUARDED_BY(mutex_);
};

}  // namespace dare::server

#pragma once

#include <openssl/ossl_typ.h>

#include <array>
#include <cstdint>
#include <unordered_map>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "server/revocation.h"

namespace dare::server {

// ClientVerification decides on client certificates during a handshake and remembers which chains
// it has verified: the same certificate a second time costs a hash, not two signature checks. What
// may change (time, revocation) is checked every time. Thread-safe. For tls.cc only.
class ClientVerification {
 public:
  ClientVerification(const Revocation* revocation, const Clock& clock)
      : revocation_(revocation), clock_(clock) {}

  // In the way of X509_verify_cert: 1 when good; else 0 and the reason (X509_V_ERR_…) in `context`,
  // from which TLS takes its alert.
  int Verify(X509_STORE_CTX* context) EXCLUDES(mutex_);
  // For a session that comes from a ticket: still within its time and not revoked.
  bool StillGood(const X509* certificate) const;

 private:
  using Fingerprint = std::array<std::uint8_t, 32>;
  struct FingerprintHash {
    std::size_t operator()(const Fingerprint& f) const;
  };
  struct Validity {
    std::int64_t from = 0, until = 0;  // of the whole chain
  };
  static constexpr std::size_t kMostRemembered = 16384;

  bool Remembered(const Fingerprint& fingerprint) EXCLUDES(mutex_);
  void Remember(const Fingerprint& fingerprint, X509_STORE_CTX* context) EXCLUDES(mutex_);

  const Revocation* const revocation_;  // may be null
  const Clock& clock_;
  Mutex mutex_;
  std::unordered_map<Fingerprint, Validity, FingerprintHash> verified_ GUARDED_BY(mutex_);
};

}  // namespace dare::server

#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "policy/principal.h"

namespace dare::engine {

// What Certify and Re-certify ask for. Who asks was decided, the key belongs to the caller, and a
// request's own signature was checked; whether the names are true, nobody can know here.
struct CertificateWish {
  Bytes subject;                           // Name, DER
  Bytes public_key;                        // SubjectPublicKeyInfo, DER
  Bytes subject_alternatives;              // GeneralNames, DER; empty: none
  std::uint32_t key_usage = 0;             // crypto::KeyUsage bits
  std::optional<std::int64_t> good_until;  // POSIX seconds; the certificate ends no later
};

// A CertificateIssuer signs certificates for Certify and Re-certify with a key that the engine does
// not know. It has an authority of its own, which must be nobody's proof of identity to this
// server: what it signs is what clients wrote (docs/decisions/certify.md). Thread-safe.
class CertificateIssuer {
 public:
  virtual ~CertificateIssuer() = default;
  // Whether this principal may say who is who.
  virtual bool Serves(const policy::Principal& principal) const = 0;
  // The authority's certificate, X.509 in DER.
  virtual const Bytes& certificate() const = 0;
  // A new certificate, X.509 in DER, beginning at `now`.
  virtual Result<Bytes> Issue(const CertificateWish& wish, std::int64_t now) const = 0;
};

}  // namespace dare::engine

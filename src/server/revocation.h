#pragma once

#include <cstdint>

#include "server/peer.h"

namespace dare::server {

// Revocation says which certificates are no longer welcome before their time is over.
// Thread-safe: every loop asks at every handshake, full or resumed.
class Revocation {
 public:
  virtual ~Revocation() = default;
  // Whether the certificate with this serial (lower-case hex) and common name is revoked.
  // When that cannot be found out, the answer is true: deny by default.
  virtual bool IsRevoked(const std::string& serial, const std::string& common_name) const = 0;
  // Whether whoever this is, is not to be served for now, whatever the certificate is worth: by the
  // common name and the organizational units of its subject.
  virtual bool IsLockedOut(const std::string& /*common_name*/,
                           const std::vector<std::string>& /*units*/) const {
    return false;
  }
  // Whether it can be found out, now. Who is refused because it cannot is told of a trouble of ours
  // (the TLS alert internal_error), so that it asks again or asks another server.
  virtual bool IsKnown() const { return true; }
  // Changes whenever an answer of IsRevoked or IsLockedOut may have; loops watch it for their open
  // connections.
  virtual std::uint64_t generation() const = 0;
};

}  // namespace dare::server

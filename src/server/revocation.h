#pragma once

#include <cstdint>

#include "server/peer.h"

namespace dare::server {

struct IssuedChain;  // server/issued_chain.h

// What a certificate is worth now.
enum class Standing : std::uint8_t {
  kGood,
  kRevoked,
  kNotKnown,  // it could not be found out: not to be let in, but the trouble is ours
};

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
  // What the revocation lists of authorities say of a chain (authority_lists.h).
  virtual Standing OnLists(const IssuedChain& /*chain*/) const { return Standing::kGood; }
  // Changes whenever an answer of IsRevoked, IsLockedOut or OnLists may have; loops watch it for
  // their open connections.
  virtual std::uint64_t generation() const = 0;

  // All of it; `chain` is null where no lists are read.
  Standing StandingOf(const std::string& serial, const std::string& common_name,
                      const IssuedChain* chain) const {
    if (IsRevoked(serial, common_name)) return IsKnown() ? Standing::kRevoked : Standing::kNotKnown;
    return chain == nullptr ? Standing::kGood : OnLists(*chain);
  }
};

}  // namespace dare::server

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "server/peer.h"
#include "server/revocation.h"

struct ssl_st;

namespace dare::crypto {
class Authorities;  // crypto/authorities.h
}

namespace dare::server {

class PrincipalRules;  // server/principal_rules.h

struct TlsOptions {
  std::string certificate_file;  // PEM chain, leaf first
  std::string key_file;          // PEM, private
  std::string client_ca_file;    // PEM
  bool require_client_certificate = true;
  bool allow_tls12 = true;
  bool rsa_cbc_suites = false;                // the KMIP 1.x profiles' suites; weak, off by default
  std::string session_context = "dare-kmip";  // tickets of one context do not open another
  std::int64_t ticket_seconds = 3600;         // a ticket is good for at least that, at most twice
  std::shared_ptr<const PrincipalRules> principals;  // null: common names are principals
  const crypto::Authorities* authorities = nullptr;  // whose lists are read; outlives the context
};

// Why a handshake did not come to its end, for the audit log.
enum class HandshakeFailure : std::uint8_t {
  kNoCertificate,     // alert certificate_required (1.3), handshake_failure (1.2)
  kUnknownAuthority,  // alert unknown_ca
  kExpired,           // alert certificate_expired (also: not yet valid, bad_certificate)
  kRevoked,           // alert certificate_revoked
  kLockedOut,         // alert bad_certificate
  kNamesNobody,       // by the rules of [[principals]]: alert bad_certificate
  kNotKnown,          // whether it is revoked could not be found out: alert internal_error
  kBadCertificate,    // another alert about the certificate
  kProtocol,          // not TLS, no common suite, connection lost
};
std::string_view HandshakeFailureName(HandshakeFailure failure);

struct TlsState;

struct SslFree {
  void operator()(ssl_st* ssl) const;
};
using SslPtr = std::unique_ptr<ssl_st, SslFree>;

// A TlsContext makes the server side of TLS connections: TLS 1.3 and 1.2, client certificates
// verified with the alert that fits, tickets under rotating keys. A resumed session is checked for
// revocation and expiry again: a ticket of such a certificate is ignored, the full handshake
// follows and says why. Verified certificates are remembered, so that only the first handshake pays
// for the chain. Thread-safe. Outlives its connections; `revocation` (may be null) and `clock`
// outlive it.
class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> Make(const TlsOptions& options,
                                                  const Revocation* revocation,
                                                  const Clock& clock = SystemClock::Get());
  ~TlsContext();

  // The TLS of a new connection on `fd` (not owned).
  Result<SslPtr> NewSession(int fd) const;
  // Who is there; after the handshake. Address and port are left to the caller.
  static Result<Peer> PeerOf(ssl_st* ssl);
  // After a failed handshake, from OpenSSL's error queue (read, not cleared) and what verification
  // left; `who` gets the names in the certificate, if one came.
  static HandshakeFailure FailureOf(ssl_st* ssl, Peer& who);

  const Revocation* revocation() const { return revocation_; }
  const Clock& clock() const { return clock_; }

 private:
  TlsContext(std::unique_ptr<TlsState> state, const Revocation* revocation, const Clock& clock);

  const std::unique_ptr<TlsState> state_;
  const Revocation* const revocation_;
  const Clock& clock_;
};

}  // namespace dare::server

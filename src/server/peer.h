#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace dare::server {

struct IssuedChain;  // server/issued_chain.h

// A Peer is who stands at the other end of a connection, as far as TLS can tell: made once when the
// handshake is done, constant afterwards, shared by everybody who works for the connection.
// Where the listener lets a client come without a certificate (HTTPS), `fingerprint` and the names
// are empty: see authenticated().
struct Peer {
  std::string address;     // "127.0.0.1" or "::1", without the port
  std::uint16_t port = 0;  //
  // The principal: the common name of the certificate's subject, or what the rules of
  // [[principals]] make of it (principal_rules.h); empty: nobody.
  std::string common_name;
  // Its organizational units (OU), or the same by the rules: role and groups.
  std::vector<std::string> units;
  std::string serial;          // lower-case hex without leading zeroes
  std::string fingerprint;     // SHA-256 of the certificate, lower-case hex
  std::int64_t not_after = 0;  // POSIX seconds
  // What revocation lists would call it and its authorities; null where no lists are read.
  std::shared_ptr<const IssuedChain> chain;
  std::string protocol;  // "TLSv1.3"
  std::string cipher;    // "TLS_AES_256_GCM_SHA384"
  bool resumed = false;  // the session came from a ticket
  bool person = false;   // known by a token of the request (people.h), by no certificate

  bool authenticated() const { return !fingerprint.empty() || person; }
};

}  // namespace dare::server

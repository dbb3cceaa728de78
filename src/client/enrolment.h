#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "client/config.h"

namespace dare::client {

// How a machine gets its first certificate.
struct EnrolmentOptions {
  std::string url;                // of the server: "https://HOST:5697"
  std::string folder;             // where the files go; made (0755) when missing
  std::string ca_file;            // the CA in hand, or
  std::string ca_fingerprint;     // SHA-256 of its certificate, hex, ':' allowed. One of the two.
  std::vector<Endpoint> servers;  // of KMIP; empty: the host of `url`, port 5696
  std::string default_key;
  bool replace = false;  // take the place of an enrolment that exists
};

struct Enrolled {
  std::string config_file;
  std::string name;            // the common name the server gave
  std::int64_t not_after = 0;  // POSIX seconds
};

// Makes a P-256 key here, has it certified against the one-time token (EST, RFC 7030), and writes
// into the folder: client.key (0600), client.crt, ca.crt and client.toml, the configuration last,
// so that it never names files that are not there. The token is sent only to a server whose
// certificate the CA vouches for. kAlreadyExists without `replace`; kUnauthenticated when the token
// is not accepted or the CA is not the one of the fingerprint.
Result<Enrolled> EnrolMachine(const EnrolmentOptions& options, const SecretBytes& token);

// Gets a new certificate for the same key with the old one (which must still be good) and replaces
// the certificate file in one step.
Result<Enrolled> RenewMachine(const Config& config);

}  // namespace dare::client

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace dare::client {

// How an EST server is recognised and reached.
struct EstServer {
  std::string url;     // "https://HOST:PORT"; the path of RFC 7030 3.2.2 is added
  std::string ca_pem;  // whose certificates are accepted; empty: the system's CAs
  std::chrono::milliseconds timeout{15000};
};

// The certificate by which an already enrolled machine shows who it is.
struct EstIdentity {
  std::string certificate_pem;
  const SecretBytes* private_pem = nullptr;
};

// Enrollment over Secure Transport, RFC 7030, as a client over libcurl. Stateless; the calls block.
// kUnavailable or kTimeout when the server cannot be reached or trusted, kUnauthenticated when it
// does not accept token or certificate, kRejected with the server's text otherwise.

// The CA certificates, as PEM texts (4.1). `trusted` is false when nobody vouched for the server
// yet and the answer is only good for comparing it with a fingerprint.
Result<std::vector<std::string>> FetchCaCertificates(const EstServer& server, bool trusted);
// simpleenroll (4.2.1) with a one-time token as the password of HTTP Basic; the certificate as PEM.
Result<std::string> Enrol(const EstServer& server, const SecretBytes& token, ByteView request_der);
// simplereenroll (4.2.2) with the certificate that is to be replaced.
Result<std::string> Reenrol(const EstServer& server, const EstIdentity& identity,
                            ByteView request_der);

}  // namespace dare::client

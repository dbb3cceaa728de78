#pragma once

#include <string>

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace dare::client {

// A private key that was made here, or read back from its file, and what a certificate authority
// needs to certify it.
struct CertificateRequest {
  SecretBytes private_pem;  // PKCS #8, not encrypted
  Bytes der;                // PKCS #10
};

// Makes a fresh P-256 key and a request for `common_name` (the server may decide on another name).
Result<CertificateRequest> NewCertificateRequest(const std::string& common_name);
// The same for the key in `private_pem`.
Result<CertificateRequest> RequestForKey(SecretBytes private_pem, const std::string& common_name);

// The PEM texts of the certificates in a certs-only PKCS #7 message (DER; RFC 5272 4.1), in order.
Result<std::vector<std::string>> CertificatesOf(ByteView pkcs7_der);

// SHA-256 over the DER of a PEM certificate, lower-case hex without separators.
Result<std::string> FingerprintOf(std::string_view certificate_pem);
// True when the certificate is for the key. False too when either cannot be read.
bool CertificateFitsKey(std::string_view certificate_pem, const SecretBytes& private_pem);

struct CertificateFacts {
  std::string common_name;
  std::int64_t not_after = 0;  // POSIX seconds
};
Result<CertificateFacts> ReadCertificate(std::string_view certificate_pem);

}  // namespace dare::client

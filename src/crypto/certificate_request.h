#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::crypto {

enum class CertificateRequestFormat : std::uint8_t { kPkcs10, kPem };

// A certificate signing request (PKCS #10, RFC 2986) whose own signature was checked: whoever made
// it holds the private key. What it asks for is a wish.
struct CertificateRequest {
  Bytes subject;                           // Name, DER
  Bytes public_key;                        // SubjectPublicKeyInfo, DER
  Bytes subject_alternatives;              // GeneralNames, DER; empty: none asked for
  std::optional<std::uint32_t> key_usage;  // KeyUsage bits of crypto/certificate.h
  bool authority = false;                  // wants Basic Constraints with CA
};

// kMalformed when the text is no such request, or more than one; kDenied when its signature is not
// by its own key.
Result<CertificateRequest> ReadCertificateRequest(CertificateRequestFormat format, ByteView text);

}  // namespace dare::crypto

#pragma once

#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"
#include "kmip/protection_storage_masks.h"

namespace dare::kmip {

// The certificate request inside Certify and Re-certify.
struct RequestToCertify {
  CertificateRequestType type{};
  Bytes value;
};

// Certify (kmip-2.1 6.1.6; kmip-1.4 4.7): a certificate for a public key.
struct CertifyRequest {
  static constexpr Operation kOperation = Operation::kCertify;
  Identifier id;                            // Public Key; 2.x: or Certificate Request
  std::optional<RequestToCertify> request;  // 1.0 wants it
  AttributesIn attributes;                  // may be empty
  std::optional<ProtectionStorageMasks> protection_storage_masks;  // 2.0+

  static Result<CertifyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct CertifyResponse {
  std::string id;
  AttributeSet implied;  // 1.x only: what the server set unasked, if it cares to say

  static Result<CertifyResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

// Certificate Request Type and Certificate Request (1.x) or Certificate Request Value (2.x): both
// or neither.
Result<std::optional<RequestToCertify>> ReadRequestToCertify(ttlv::Reader& in,
                                                             ProtocolVersion version);
void WriteRequestToCertify(ttlv::Writer& out, ProtocolVersion version,
                           const std::optional<RequestToCertify>& request);

}  // namespace dare::kmip

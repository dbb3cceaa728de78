#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kmip/payloads/certify.h"

namespace dare::kmip {

// Re-certify (kmip-2.1 6.1.45; kmip-1.4 4.8): a new certificate takes the place of one for the same
// key.
struct ReCertifyRequest {
  static constexpr Operation kOperation = Operation::kReCertify;
  Identifier id;                            // Certificate
  std::optional<Identifier> request_id;     // 2.0+: a Certificate Request object
  std::optional<RequestToCertify> request;  // 1.0 wants it
  // Seconds from Initial Date to Activation Date of the new certificate.
  std::optional<std::uint32_t> offset;
  AttributesIn attributes;                                         // may be empty
  std::optional<ProtectionStorageMasks> protection_storage_masks;  // 2.0+

  static Result<ReCertifyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ReCertifyResponse {
  std::string id;
  AttributeSet implied;  // 1.x only: what the server set unasked, if it cares to say

  static Result<ReCertifyResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

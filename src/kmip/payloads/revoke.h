#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Revoke (kmip-2.1 6.1.44; kmip-1.4 4.20): out of use, or no longer secret.
struct RevokeRequest {
  static constexpr Operation kOperation = Operation::kRevoke;
  Identifier id;
  RevocationReasonCode reason = RevocationReasonCode::kUnspecified;
  std::string message;                                     // Revocation Message; may be empty
  std::optional<std::int64_t> compromise_occurrence_date;  // POSIX seconds

  static Result<RevokeRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct RevokeResponse {
  std::string id;

  static Result<RevokeResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

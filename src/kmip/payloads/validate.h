#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kmip/certificate.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// More certificates than a chain has.
inline constexpr std::size_t kMostCertificatesInChain = 32;

// Validate (kmip-2.1 6.1.57; kmip-1.4 4.24): is this certificate chain good?
struct ValidateRequest {
  static constexpr Operation kOperation = Operation::kValidate;
  std::vector<CertificateObject> certificates;  // borrowed from the request's bytes
  std::vector<Identifier> ids;                  // of Certificate objects
  std::optional<std::int64_t> date;             // POSIX seconds; absent: now

  static Result<ValidateRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ValidateResponse {
  ValidityIndicator validity{};

  static Result<ValidateResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

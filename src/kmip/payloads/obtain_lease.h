#pragma once

#include <cstdint>
#include <string>

#include "kmip/identifier.h"

namespace dare::kmip {

// Obtain Lease (kmip-2.1 6.1.35; kmip-1.4 4.16): for how long a client may keep what it knows of
// the object.
struct ObtainLeaseRequest {
  static constexpr Operation kOperation = Operation::kObtainLease;
  Identifier id;

  static Result<ObtainLeaseRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ObtainLeaseResponse {
  std::string id;
  std::uint32_t lease_time = 0;  // seconds
  std::int64_t last_change = 0;  // Last Change Date

  static Result<ObtainLeaseResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

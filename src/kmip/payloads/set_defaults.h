#pragma once

#include <vector>

#include "kmip/payloads/query.h"

namespace dare::kmip {

// Set Defaults (kmip-2.1 6.1.53): without Defaults Information there are none any more.
struct SetDefaultsRequest {
  static constexpr Operation kOperation = Operation::kSetDefaults;
  std::vector<ObjectDefaults> defaults;

  static Result<SetDefaultsRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct SetDefaultsResponse {
  static Result<SetDefaultsResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

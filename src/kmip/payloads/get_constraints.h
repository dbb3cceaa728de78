#pragma once

#include <vector>

#include "kmip/constraint.h"

namespace dare::kmip {

// Get Constraints (kmip-2.1 6.1.22).
struct GetConstraintsRequest {
  static constexpr Operation kOperation = Operation::kGetConstraints;

  static Result<GetConstraintsRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct GetConstraintsResponse {
  std::vector<Constraint> constraints;

  static Result<GetConstraintsResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

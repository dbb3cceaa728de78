#pragma once

#include <vector>

#include "kmip/constraint.h"

namespace dare::kmip {

// Set Constraints (kmip-2.1 6.1.52). The table requires Constraints; TC-MD-24-21 leaves them out to
// have none.
struct SetConstraintsRequest {
  static constexpr Operation kOperation = Operation::kSetConstraints;
  std::vector<Constraint> constraints;

  static Result<SetConstraintsRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct SetConstraintsResponse {
  static Result<SetConstraintsResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

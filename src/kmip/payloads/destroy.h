#pragma once

#include <string>

#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Destroy (kmip-2.1 6.1.15; kmip-1.4 4.21): the material goes, the attributes stay.
struct DestroyRequest {
  static constexpr Operation kOperation = Operation::kDestroy;
  Identifier id;

  static Result<DestroyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct DestroyResponse {
  std::string id;

  static Result<DestroyResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

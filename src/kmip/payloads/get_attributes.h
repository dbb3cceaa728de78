#pragma once

#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Get Attributes (kmip-2.1 6.1.20; kmip-1.4 4.12): some or all attributes of one object.
struct GetAttributesRequest {
  static constexpr Operation kOperation = Operation::kGetAttributes;
  Identifier id;
  std::vector<AttributeReference> references;  // none: all attributes

  static Result<GetAttributesRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct GetAttributesResponse {
  std::string id;
  std::vector<Attribute> attributes;

  static Result<GetAttributesResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

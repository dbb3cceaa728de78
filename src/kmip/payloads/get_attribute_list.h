#pragma once

#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Get Attribute List (kmip-2.1 6.1.21; kmip-1.4 4.13): the names of the attributes an object has.
struct GetAttributeListRequest {
  static constexpr Operation kOperation = Operation::kGetAttributeList;
  Identifier id;

  static Result<GetAttributeListRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct GetAttributeListResponse {
  std::string id;
  std::vector<AttributeReference> references;  // each once

  static Result<GetAttributeListResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

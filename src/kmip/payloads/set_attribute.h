#pragma once

#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Set Attribute (kmip-2.1 6.1.51; 2.0+): the only value of a single-instance attribute, there or
// not.
struct SetAttributeRequest {
  static constexpr Operation kOperation = Operation::kSetAttribute;
  Identifier id;
  AttributeIn attribute;

  static Result<SetAttributeRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct SetAttributeResponse {
  std::string id;

  static Result<SetAttributeResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

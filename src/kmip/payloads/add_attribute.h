#pragma once

#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Add Attribute (kmip-2.1 6.1.2; kmip-1.4 4.14): one more instance.
struct AddAttributeRequest {
  static constexpr Operation kOperation = Operation::kAddAttribute;
  Identifier id;
  AttributeIn attribute;

  static Result<AddAttributeRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct AddAttributeResponse {
  std::string id;
  std::optional<Attribute> attribute;  // 1.x: what is there now, with its index

  static Result<AddAttributeResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

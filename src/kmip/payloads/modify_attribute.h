#pragma once

#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Modify Attribute (kmip-2.1 6.1.34; kmip-1.4 4.15): another value for an instance that is there.
struct ModifyAttributeRequest {
  static constexpr Operation kOperation = Operation::kModifyAttribute;
  Identifier id;
  std::optional<AttributeIn> current;  // 2.x: which instance; absent when the kind has only one
  AttributeIn attribute;

  static Result<ModifyAttributeRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ModifyAttributeResponse {
  std::string id;
  std::optional<Attribute> attribute;  // 1.x: what is there now, with its index

  static Result<ModifyAttributeResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Delete Attribute (kmip-2.1 6.1.13; kmip-1.4 4.16): takes one instance away.
struct DeleteAttributeRequest {
  static constexpr Operation kOperation = Operation::kDeleteAttribute;
  Identifier id;
  // 1.x always; 2.x: every instance of this kind, when `current` is absent.
  std::optional<AttributeReference> reference;
  std::optional<std::int32_t> index;   // 1.x; absent: the instance 0
  std::optional<AttributeIn> current;  // 2.x: the instance with this value

  static Result<DeleteAttributeRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct DeleteAttributeResponse {
  std::string id;
  std::optional<Attribute> attribute;  // 1.x: what was taken away

  static Result<DeleteAttributeResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

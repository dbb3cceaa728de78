#pragma once

#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Adjust Attribute (kmip-2.1 6.1.3; 2.0+): counts a number or a date up or down, or negates.
struct AdjustAttributeRequest {
  static constexpr Operation kOperation = Operation::kAdjustAttribute;
  Identifier id;
  AttributeReference reference;
  AdjustmentType type{};
  // Of the attribute's type, borrowed from the request; absent: 1, a second, a microsecond
  // (kmip-2.1 11.1).
  std::optional<ttlv::Item> value;

  static Result<AdjustAttributeRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct AdjustAttributeResponse {
  std::string id;

  static Result<AdjustAttributeResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

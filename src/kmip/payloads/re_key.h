#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/identifier.h"
#include "kmip/protection_storage_masks.h"

namespace dare::kmip {

// Re-key (kmip-2.1 6.1.46; kmip-1.4 4.4): a new key takes the place of a symmetric key.
struct ReKeyRequest {
  static constexpr Operation kOperation = Operation::kReKey;
  Identifier id;
  std::optional<std::uint32_t>
      offset;               // seconds from Initial Date to Activation Date of the new key
  AttributesIn attributes;  // may be empty
  std::optional<ProtectionStorageMasks> protection_storage_masks;  // 2.0+

  static Result<ReKeyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ReKeyResponse {
  std::string id;
  AttributeSet implied;  // 1.x only: what the server set unasked, if it cares to say

  static Result<ReKeyResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

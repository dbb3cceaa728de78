#pragma once

#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/protection_storage_masks.h"

namespace dare::kmip {

// What Create Key Pair and Re-key Key Pair ask for: attributes of both keys and of each, and (2.0+)
// where each may be kept (kmip-2.1 6.1.9, 6.1.47; kmip-1.4 4.2, 4.5).
struct KeyPairAttributes {
  AttributesIn common;
  AttributesIn private_key;
  AttributesIn public_key;
  std::optional<ProtectionStorageMasks> common_masks;
  std::optional<ProtectionStorageMasks> private_masks;
  std::optional<ProtectionStorageMasks> public_masks;
};
Result<KeyPairAttributes> ReadKeyPairAttributes(ttlv::Reader& in, ProtocolVersion version);
void WriteKeyPairAttributes(ttlv::Writer& out, ProtocolVersion version,
                            const KeyPairAttributes& attributes);

// What both answer.
struct KeyPairResponse {
  std::string private_id;
  std::string public_id;
  AttributeSet private_implied;  // 1.x only: what the server set unasked, if it cares to say
  AttributeSet public_implied;

  static Result<KeyPairResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

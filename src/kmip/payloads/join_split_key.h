#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/identifier.h"
#include "kmip/protection_storage_masks.h"

namespace dare::kmip {

// Join Split Key (kmip-2.1 6.1.27; kmip-1.4 4.39, since 1.2): one object from its parts.
struct JoinSplitKeyRequest {
  static constexpr Operation kOperation = Operation::kJoinSplitKey;
  ObjectType object_type = ObjectType::kSymmetricKey;
  std::vector<Identifier> ids;  // at least one
  std::optional<SecretDataType> secret_data_type;
  AttributesIn attributes;
  std::optional<ProtectionStorageMasks> protection_storage_masks;  // 2.0+

  static Result<JoinSplitKeyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct JoinSplitKeyResponse {
  std::string id;

  static Result<JoinSplitKeyResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

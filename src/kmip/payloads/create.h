#pragma once

#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/protection_storage_masks.h"

namespace dare::kmip {

// Create (kmip-2.1 6.1.8; kmip-1.4 4.1): the server makes a symmetric key or, since 1.4, secret
// data.
struct CreateRequest {
  static constexpr Operation kOperation = Operation::kCreate;
  ObjectType object_type = ObjectType::kSymmetricKey;
  AttributesIn attributes;
  std::optional<ProtectionStorageMasks> protection_storage_masks;  // 2.0+

  static Result<CreateRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct CreateResponse {
  ObjectType object_type = ObjectType::kSymmetricKey;
  std::string id;
  AttributeSet implied;  // 1.x only: what the server set unasked, if it cares to say

  static Result<CreateResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

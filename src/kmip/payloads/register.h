#pragma once

#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/protection_storage_masks.h"
#include "ttlv/item.h"

namespace dare::kmip {

// Register (kmip-2.1 6.1.43; kmip-1.4 4.3): the client brings an object of its own.
struct RegisterRequest {
  static constexpr Operation kOperation = Operation::kRegister;
  ObjectType object_type{};
  AttributesIn attributes;
  // The object's structure (Symmetric Key, Secret Data, …), borrowed from the request's bytes; it
  // holds key material. Its tag need not agree with `object_type`. Absent: 1.0 and 1.1 let it be
  // left out.
  std::optional<ttlv::Item> object;
  std::optional<ProtectionStorageMasks> protection_storage_masks;  // 2.0+

  static Result<RegisterRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct RegisterResponse {
  std::string id;
  AttributeSet implied;  // 1.x only: what the server set unasked, if it cares to say

  static Result<RegisterResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/identifier.h"
#include "kmip/protection_storage_masks.h"

namespace dare::kmip {

// Create Split Key (kmip-2.1 6.1.10; kmip-1.4 4.38, since 1.2): a key, new or there, in parts.
struct CreateSplitKeyRequest {
  static constexpr Operation kOperation = Operation::kCreateSplitKey;
  ObjectType object_type = ObjectType::kSplitKey;
  std::optional<Identifier> id;  // of the key to be split; absent: a new one
  std::int32_t parts = 0;
  std::int32_t threshold = 0;
  SplitKeyMethod method{};
  Bytes prime;  // Prime Field Size, a number without sign; empty where absent
  AttributesIn attributes;
  std::optional<ProtectionStorageMasks> protection_storage_masks;  // 2.0+

  static Result<CreateSplitKeyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct CreateSplitKeyResponse {
  std::vector<std::string> ids;  // by Key Part Identifier

  static Result<CreateSplitKeyResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

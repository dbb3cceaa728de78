#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/enums.h"

namespace dare::kmip {

// Locate (kmip-2.1 6.1.28; kmip-1.4 4.9): the objects that have all the given attributes.
struct LocateRequest {
  static constexpr Operation kOperation = Operation::kLocate;
  std::optional<std::int32_t> maximum_items;
  std::optional<std::int32_t> offset_items;              // 1.3+
  std::optional<std::int32_t> storage_status_mask;       // absent: on-line objects only
  std::optional<ObjectGroupMember> object_group_member;  // 1.1+
  AttributeSet attributes;  // several of one kind: a range of dates, or all must match

  static Result<LocateRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct LocateResponse {
  std::optional<std::int32_t> located_items;  // 1.3+: all that match, whatever was left out
  std::vector<std::string> ids;

  static Result<LocateResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

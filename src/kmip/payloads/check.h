#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kmip/enums.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Check (kmip-2.1 6.1.7; kmip-1.4 4.10): may this object be used so? Takes nothing.
struct CheckRequest {
  static constexpr Operation kOperation = Operation::kCheck;
  Identifier id;
  std::optional<std::int64_t> usage_limits_count;
  std::optional<std::int32_t> usage_mask;   // Cryptographic Usage Mask
  std::optional<std::uint32_t> lease_time;  // seconds

  static Result<CheckRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct CheckResponse {
  std::string id;
  // Where the answer is no: what would have been allowed.
  std::optional<std::int64_t> usage_limits_count;
  std::optional<std::int32_t> usage_mask;
  std::optional<std::uint32_t> lease_time;

  static Result<CheckResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#pragma once

#include <cstdint>
#include <string>

#include "kmip/identifier.h"

namespace dare::kmip {

// Get Usage Allocation (kmip-2.1 6.1.23; kmip-1.4 4.17): takes units off the object's Usage Limits,
// for a client that protects data by itself.
struct GetUsageAllocationRequest {
  static constexpr Operation kOperation = Operation::kGetUsageAllocation;
  Identifier id;
  std::int64_t count = 0;  // Usage Limits Count, in the object's own unit

  static Result<GetUsageAllocationRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct GetUsageAllocationResponse {
  std::string id;

  static Result<GetUsageAllocationResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

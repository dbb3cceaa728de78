#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// RNG Seed (kmip-2.1 6.1.50; kmip-1.4 4.36, since 1.2): a client adds to the server's randomness.
struct RngSeedRequest {
  static constexpr Operation kOperation = Operation::kRNGSeed;
  ByteView data;  // borrowed

  static Result<RngSeedRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct RngSeedResponse {
  std::int32_t length = 0;  // bytes of the seed that were used

  static Result<RngSeedResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

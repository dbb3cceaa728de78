#pragma once

#include <cstdint>

#include "base/secret_bytes.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// RNG Retrieve (kmip-2.1 6.1.49; kmip-1.4 4.35, since 1.2): random bytes from the server.
struct RngRetrieveRequest {
  static constexpr Operation kOperation = Operation::kRNGRetrieve;
  std::int32_t length = 0;  // bytes; how many are given is the engine's business

  static Result<RngRetrieveRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct RngRetrieveResponse {
  WipingBytes data;

  static Result<RngRetrieveResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

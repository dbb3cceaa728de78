#pragma once

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Ping (kmip-2.1 6.1.36): is anybody there?
struct PingRequest {
  static constexpr Operation kOperation = Operation::kPing;

  static Result<PingRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct PingResponse {
  static Result<PingResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

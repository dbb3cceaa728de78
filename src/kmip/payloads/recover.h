#pragma once

#include <string>

#include "kmip/identifier.h"

namespace dare::kmip {

// Recover (kmip-2.1 6.1.42; kmip-1.4 4.23): an archived object comes back on-line.
struct RecoverRequest {
  static constexpr Operation kOperation = Operation::kRecover;
  Identifier id;

  static Result<RecoverRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct RecoverResponse {
  std::string id;

  static Result<RecoverResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

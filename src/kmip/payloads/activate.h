#pragma once

#include <string>

#include "kmip/identifier.h"

namespace dare::kmip {

// Activate (kmip-2.1 6.1.1; kmip-1.4 4.19): a Pre-Active object becomes Active now.
struct ActivateRequest {
  static constexpr Operation kOperation = Operation::kActivate;
  Identifier id;

  static Result<ActivateRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ActivateResponse {
  std::string id;

  static Result<ActivateResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

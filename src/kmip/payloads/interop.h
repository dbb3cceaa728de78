#pragma once

#include <string>

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Interop (kmip-2.1 6.1.26): where a test case begins and ends.
struct InteropRequest {
  static constexpr Operation kOperation = Operation::kInterop;
  InteropFunction function{};
  std::string identifier;

  static Result<InteropRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct InteropResponse {
  static Result<InteropResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#pragma once

#include "base/result.h"
#include "base/secret_bytes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Cancel (kmip-2.1 6.1.5; kmip-1.4 4.26): of what was begun asynchronously.
struct CancelRequest {
  static constexpr Operation kOperation = Operation::kCancel;
  WipingBytes correlation;  // Asynchronous Correlation Value

  static Result<CancelRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct CancelResponse {
  WipingBytes correlation;  // Asynchronous Correlation Value
  CancellationResult result{};

  static Result<CancelResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#pragma once

#include "base/result.h"
#include "base/secret_bytes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Poll (kmip-2.1 6.1.38; kmip-1.4 4.27): what became of something asynchronous. It has no response
// of its own: a whole Batch Item of the operation that was polled takes its place.
struct PollRequest {
  static constexpr Operation kOperation = Operation::kPoll;
  WipingBytes correlation;  // Asynchronous Correlation Value

  static Result<PollRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

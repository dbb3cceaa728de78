#pragma once

#include "base/result.h"
#include "base/secret_bytes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Process (kmip-2.1 6.1.39): what was begun asynchronously is done before this is answered. The
// table has an empty response, the published cases (TC-ASYNC-1-21) give the value back.
struct ProcessRequest {
  static constexpr Operation kOperation = Operation::kProcess;
  WipingBytes correlation;  // Asynchronous Correlation Value

  static Result<ProcessRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ProcessResponse {
  WipingBytes correlation;  // Asynchronous Correlation Value

  static Result<ProcessResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

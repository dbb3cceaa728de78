#pragma once

#include <string>

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Log (kmip-2.1 6.1.29): a message for the server's log.
struct LogRequest {
  static constexpr Operation kOperation = Operation::kLog;
  std::string message;

  static Result<LogRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct LogResponse {
  static Result<LogResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#pragma once

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "kmip/ticket.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Logout (kmip-2.1 6.1.31): ends a ticket.
struct LogoutRequest {
  static constexpr Operation kOperation = Operation::kLogout;
  Ticket ticket;

  static Result<LogoutRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct LogoutResponse {
  static Result<LogoutResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

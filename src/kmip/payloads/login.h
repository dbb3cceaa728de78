#pragma once

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "kmip/ticket.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Login (kmip-2.1 6.1.30): a ticket that stands for who asks, until its terms end.
struct LoginRequest {
  static constexpr Operation kOperation = Operation::kLogin;
  TicketTerms terms;

  static Result<LoginRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct LoginResponse {
  Ticket ticket;

  static Result<LoginResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#pragma once

#include <vector>

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "kmip/ticket.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Delegated Login (kmip-2.1 6.1.12): a ticket for somebody else, good for the rights it names.
struct DelegatedLoginRequest {
  static constexpr Operation kOperation = Operation::kDelegatedLogin;
  TicketTerms terms;
  std::vector<TicketRight> rights;

  static Result<DelegatedLoginRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct DelegatedLoginResponse {
  Ticket ticket;

  static Result<DelegatedLoginResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#pragma once

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Set Endpoint Role (kmip-2.1 6.1.54, 6.2.5): who asks and who answers from now on, on this
// connection.
struct SetEndpointRoleRequest {
  static constexpr Operation kOperation = Operation::kSetEndpointRole;
  EndpointRole role = EndpointRole::kServer;  // of the other side

  static Result<SetEndpointRoleRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct SetEndpointRoleResponse {
  EndpointRole role = EndpointRole::kServer;  // of the other side

  static Result<SetEndpointRoleResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip

#include "kmip/payloads/set_endpoint_role.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<SetEndpointRoleRequest> SetEndpointRoleRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  SetEndpointRoleRequest request;
  request.role = TRY(in.Enum<EndpointRole>(Tag::kEndpointRole));
  TRY(in.End());
  return request;
}

void SetEndpointRoleRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Enum(Tag::kEndpointRole, role);
}

Result<SetEndpointRoleResponse> SetEndpointRoleResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  SetEndpointRoleResponse response;
  response.role = TRY(in.Enum<EndpointRole>(Tag::kEndpointRole));
  TRY(in.End());
  return response;
}

void SetEndpointRoleResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Enum(Tag::kEndpointRole, role);
}

}  // namespace dare::kmip

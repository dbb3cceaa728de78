#include "kmip/payloads/logout.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<LogoutRequest> LogoutRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  LogoutRequest request;
  request.ticket = TRY(ReadTicket(in));
  TRY(in.End());
  return request;
}

void LogoutRequest::Encode(ttlv::Writer& out, ProtocolVersion) const { WriteTicket(out, ticket); }

Result<LogoutResponse> LogoutResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  LogoutResponse response;
  TRY(in.End());
  return response;
}

void LogoutResponse::Encode(ttlv::Writer&, ProtocolVersion) const {}

}  // namespace dare::kmip

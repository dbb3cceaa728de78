#include "kmip/payloads/login.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<LoginRequest> LoginRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  LoginRequest request;
  request.terms = TRY(ReadTicketTerms(in));
  TRY(in.End());
  return request;
}

void LoginRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteTicketTerms(out, terms);
}

Result<LoginResponse> LoginResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  LoginResponse response;
  response.ticket = TRY(ReadTicket(in));
  TRY(in.End());
  return response;
}

void LoginResponse::Encode(ttlv::Writer& out, ProtocolVersion) const { WriteTicket(out, ticket); }

}  // namespace dare::kmip

#include "kmip/payloads/delegated_login.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<DelegatedLoginRequest> DelegatedLoginRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  DelegatedLoginRequest request;
  request.terms = TRY(ReadTicketTerms(in));
  request.rights = TRY(ReadRights(in));
  TRY(in.End());
  return request;
}

void DelegatedLoginRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteTicketTerms(out, terms);
  WriteRights(out, rights);
}

Result<DelegatedLoginResponse> DelegatedLoginResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  DelegatedLoginResponse response;
  response.ticket = TRY(ReadTicket(in));
  TRY(in.End());
  return response;
}

void DelegatedLoginResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteTicket(out, ticket);
}

}  // namespace dare::kmip

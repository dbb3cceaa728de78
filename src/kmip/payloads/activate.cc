#include "kmip/payloads/activate.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<ActivateRequest> ActivateRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ActivateRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  TRY(in.End());
  return request;
}

void ActivateRequest::Encode(ttlv::Writer& out, ProtocolVersion) const { WriteIdentifier(out, id); }

Result<ActivateResponse> ActivateResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  ActivateResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void ActivateResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

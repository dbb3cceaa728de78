#include "kmip/payloads/recover.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<RecoverRequest> RecoverRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  RecoverRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  TRY(in.End());
  return request;
}

void RecoverRequest::Encode(ttlv::Writer& out, ProtocolVersion) const { WriteIdentifier(out, id); }

Result<RecoverResponse> RecoverResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  RecoverResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void RecoverResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

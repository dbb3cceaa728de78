#include "kmip/payloads/destroy.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<DestroyRequest> DestroyRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  DestroyRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  TRY(in.End());
  return request;
}

void DestroyRequest::Encode(ttlv::Writer& out, ProtocolVersion) const { WriteIdentifier(out, id); }

Result<DestroyResponse> DestroyResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  DestroyResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void DestroyResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

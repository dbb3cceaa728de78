#include "kmip/payloads/set_attribute.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<SetAttributeRequest> SetAttributeRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  SetAttributeRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.attribute = TRY(ReadAttribute(in, version, Tag::kNewAttribute));
  TRY(in.End());
  return request;
}

void SetAttributeRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  WriteAttribute(out, version, attribute.attribute, Tag::kNewAttribute);
}

Result<SetAttributeResponse> SetAttributeResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  SetAttributeResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void SetAttributeResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

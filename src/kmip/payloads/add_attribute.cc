#include "kmip/payloads/add_attribute.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<AddAttributeRequest> AddAttributeRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  AddAttributeRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.attribute = TRY(ReadAttribute(in, version, Tag::kNewAttribute));
  TRY(in.End());
  return request;
}

void AddAttributeRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  WriteAttribute(out, version, attribute.attribute, Tag::kNewAttribute);
}

Result<AddAttributeResponse> AddAttributeResponse::Decode(ttlv::Reader& in,
                                                          ProtocolVersion version) {
  AddAttributeResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version)) {
    response.attribute = TRY(ReadAttribute(in, version, Tag::kNewAttribute)).attribute;
  }
  TRY(in.End());
  return response;
}

void AddAttributeResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (IsVersion1(version) && attribute) {
    WriteAttribute(out, version, *attribute, Tag::kNewAttribute);
  }
}

}  // namespace dare::kmip

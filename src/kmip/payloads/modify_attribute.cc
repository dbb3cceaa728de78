#include "kmip/payloads/modify_attribute.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<ModifyAttributeRequest> ModifyAttributeRequest::Decode(ttlv::Reader& in,
                                                              ProtocolVersion version) {
  ModifyAttributeRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  if (!IsVersion1(version) && in.At(Tag::kCurrentAttribute)) {
    request.current = TRY(ReadAttribute(in, version, Tag::kCurrentAttribute));
  }
  request.attribute = TRY(ReadAttribute(in, version, Tag::kNewAttribute));
  TRY(in.End());
  return request;
}

void ModifyAttributeRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  if (!IsVersion1(version) && current) {
    WriteAttribute(out, version, current->attribute, Tag::kCurrentAttribute);
  }
  WriteAttribute(out, version, attribute.attribute, Tag::kNewAttribute);
}

Result<ModifyAttributeResponse> ModifyAttributeResponse::Decode(ttlv::Reader& in,
                                                                ProtocolVersion version) {
  ModifyAttributeResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version)) {
    response.attribute = TRY(ReadAttribute(in, version, Tag::kNewAttribute)).attribute;
  }
  TRY(in.End());
  return response;
}

void ModifyAttributeResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (IsVersion1(version) && attribute) {
    WriteAttribute(out, version, *attribute, Tag::kNewAttribute);
  }
}

}  // namespace dare::kmip

#include "kmip/payloads/delete_attribute.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<DeleteAttributeRequest> DeleteAttributeRequest::Decode(ttlv::Reader& in,
                                                              ProtocolVersion version) {
  DeleteAttributeRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  if (IsVersion1(version)) {
    request.reference = TRY(ReadReference(in, version));
    request.index = TRY(in.OptionalInteger(Tag::kAttributeIndex));
  } else {
    if (in.At(Tag::kCurrentAttribute)) {
      request.current = TRY(ReadAttribute(in, version, Tag::kCurrentAttribute));
    }
    if (AtReference(in, version)) request.reference = TRY(ReadReference(in, version));
  }
  TRY(in.End());
  return request;
}

void DeleteAttributeRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  if (IsVersion1(version)) {
    if (reference) WriteReference(out, version, *reference);
    if (index) out.Integer(Tag::kAttributeIndex, *index);
    return;
  }
  if (current) WriteAttribute(out, version, current->attribute, Tag::kCurrentAttribute);
  if (reference) WriteReference(out, version, *reference);
}

Result<DeleteAttributeResponse> DeleteAttributeResponse::Decode(ttlv::Reader& in,
                                                                ProtocolVersion version) {
  DeleteAttributeResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version)) {
    response.attribute = TRY(ReadAttribute(in, version, Tag::kCurrentAttribute)).attribute;
  }
  TRY(in.End());
  return response;
}

void DeleteAttributeResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (IsVersion1(version) && attribute) {
    WriteAttribute(out, version, *attribute, Tag::kCurrentAttribute);
  }
}

}  // namespace dare::kmip

#include "kmip/payloads/create.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<CreateRequest> CreateRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  CreateRequest request;
  request.object_type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  request.attributes = TRY(ReadAttributes(in, version));
  if (!IsVersion1(version)) {
    request.protection_storage_masks = TRY(ReadOptionalProtectionStorageMasks(in));
  }
  TRY(in.End());
  return request;
}

void CreateRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Enum(Tag::kObjectType, object_type);
  WriteAttributes(out, version, attributes);
  if (!IsVersion1(version) && protection_storage_masks) {
    WriteProtectionStorageMasks(out, *protection_storage_masks);
  }
}

Result<CreateResponse> CreateResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  CreateResponse response;
  response.object_type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version) && AtAttributes(in, version)) {
    response.implied = TRY(ReadAttributes(in, version)).attributes;
  }
  TRY(in.End());
  return response;
}

void CreateResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Enum(Tag::kObjectType, object_type);
  out.Text(Tag::kUniqueIdentifier, id);
  if (IsVersion1(version) && !implied.empty()) WriteAttributes(out, version, implied);
}

}  // namespace dare::kmip

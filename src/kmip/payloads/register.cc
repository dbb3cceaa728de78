#include "kmip/payloads/register.h"

#include "kmip/managed_object.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<RegisterRequest> RegisterRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  RegisterRequest request;
  request.object_type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  request.attributes = TRY(ReadAttributes(in, version));
  if (TypeOfObjectTag(in.tag()) && in.type() == ttlv::Type::kStructure) {
    request.object = TRY(in.Next());
  } else if (version >= kVersion1_2) {
    return Error(Code::kMalformed, "Register without an object");
  }
  if (!IsVersion1(version)) {
    request.protection_storage_masks = TRY(ReadOptionalProtectionStorageMasks(in));
  }
  TRY(in.End());
  return request;
}

void RegisterRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Enum(Tag::kObjectType, object_type);
  WriteAttributes(out, version, attributes);
  if (object) out.Copy(*object);
  if (!IsVersion1(version) && protection_storage_masks) {
    WriteProtectionStorageMasks(out, *protection_storage_masks);
  }
}

Result<RegisterResponse> RegisterResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  RegisterResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version) && AtAttributes(in, version)) {
    response.implied = TRY(ReadAttributes(in, version)).attributes;
  }
  TRY(in.End());
  return response;
}

void RegisterResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (IsVersion1(version) && !implied.empty()) WriteAttributes(out, version, implied);
}

}  // namespace dare::kmip

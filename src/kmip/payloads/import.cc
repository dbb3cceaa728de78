#include "kmip/payloads/import.h"

#include "kmip/managed_object.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<ImportRequest> ImportRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ImportRequest request;
  request.id = TRY(in.Text(Tag::kUniqueIdentifier));
  // 1.4 has no Object Type here: the object's own structure tells it.
  const bool type_told = in.At(Tag::kObjectType) || !IsVersion1(version);
  if (type_told) request.object_type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  request.replace_existing = TRY(in.OptionalBoolean(Tag::kReplaceExisting)).value_or(false);
  request.wrap_type = TRY(in.OptionalEnum<KeyWrapType>(Tag::kKeyWrapType));
  request.attributes = TRY(ReadSearchAttributes(in, version));
  const std::optional<ObjectType> type = TypeOfObjectTag(in.tag());
  if (!type || in.type() != ttlv::Type::kStructure) {
    return Error(Code::kMalformed, "Import without an object");
  }
  request.object = TRY(in.Next());
  if (!type_told) request.object_type = *type;
  TRY(in.End());
  return request;
}

void ImportRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (!IsVersion1(version)) out.Enum(Tag::kObjectType, object_type);
  if (replace_existing) out.Boolean(Tag::kReplaceExisting, true);
  if (wrap_type) out.Enum(Tag::kKeyWrapType, *wrap_type);
  WriteAttributeList(out, version, attributes.all());
  out.Copy(object);
}

Result<ImportResponse> ImportResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  ImportResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void ImportResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

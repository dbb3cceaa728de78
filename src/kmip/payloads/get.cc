#include "kmip/payloads/get.h"

#include "kmip/managed_object.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<GetRequest> GetRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  GetRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.format = TRY(in.OptionalEnum<KeyFormatType>(Tag::kKeyFormatType));
  if (version >= kVersion1_4) {
    request.wrap_type = TRY(in.OptionalEnum<KeyWrapType>(Tag::kKeyWrapType));
  }
  request.compression = TRY(in.OptionalEnum<KeyCompressionType>(Tag::kKeyCompressionType));
  if (in.At(Tag::kKeyWrappingSpecification)) {
    request.wrapping = TRY(ReadKeyWrappingSpecification(in));
  }
  TRY(in.End());
  return request;
}

void GetRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
  if (format) out.Enum(Tag::kKeyFormatType, *format);
  if (wrap_type) out.Enum(Tag::kKeyWrapType, *wrap_type);
  if (compression) out.Enum(Tag::kKeyCompressionType, *compression);
  if (wrapping) WriteKeyWrappingSpecification(out, *wrapping);
}

Result<GetResponse> GetResponse::Owning(ObjectType type, std::string id, WipingBytes encoded) {
  GetResponse response;
  response.type = type;
  response.id = std::move(id);
  response.storage = std::move(encoded);
  response.object = TRY(ttlv::ParseItem(response.storage));
  if (response.object.whole.size() != response.storage.size() ||
      response.object.type != ttlv::Type::kStructure) {
    return Error(Code::kMalformed, "a managed object is one structure");
  }
  return response;
}

Result<GetResponse> GetResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  const auto type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  std::string id(TRY(in.Text(Tag::kUniqueIdentifier)));
  const ttlv::Item object = TRY(in.Next());
  TRY(in.End());
  if (ObjectTag(type) != object.tag) return object.Fault("is not of the Object Type told");
  return Owning(type, std::move(id), WipingBytes(object.whole.begin(), object.whole.end()));
}

void GetResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Enum(Tag::kObjectType, type);
  out.Text(Tag::kUniqueIdentifier, id);
  out.Copy(object);
}

}  // namespace dare::kmip

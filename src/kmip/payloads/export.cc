#include "kmip/payloads/export.h"

#include <utility>

#include "kmip/managed_object.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<ExportRequest> ExportRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ExportRequest request;
  request.get = TRY(GetRequest::Decode(in, version));
  return request;
}

void ExportRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  get.Encode(out, version);
}

Result<ExportResponse> ExportResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  const auto type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  std::string id(TRY(in.Text(Tag::kUniqueIdentifier)));
  ExportResponse response;
  response.attributes = TRY(ReadAttributeList(in, version));
  response.destroyed = in.AtEnd();
  if (response.destroyed) {
    response.given.type = type;
    response.given.id = std::move(id);
    return response;
  }
  const ttlv::Item object = TRY(in.Next());
  TRY(in.End());
  if (ObjectTag(type) != object.tag) return object.Fault("is not of the Object Type told");
  response.given = TRY(GetResponse::Owning(type, std::move(id),
                                           WipingBytes(object.whole.begin(), object.whole.end())));
  return response;
}

void ExportResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Enum(Tag::kObjectType, given.type);
  out.Text(Tag::kUniqueIdentifier, given.id);
  WriteAttributeList(out, version, attributes);
  if (!destroyed) out.Copy(given.object);
}

}  // namespace dare::kmip

#include "kmip/payloads/get_attribute_list.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<GetAttributeListRequest> GetAttributeListRequest::Decode(ttlv::Reader& in,
                                                                ProtocolVersion version) {
  GetAttributeListRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  TRY(in.End());
  return request;
}

void GetAttributeListRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
}

Result<GetAttributeListResponse> GetAttributeListResponse::Decode(ttlv::Reader& in,
                                                                  ProtocolVersion version) {
  GetAttributeListResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  while (AtReference(in, version)) response.references.push_back(TRY(ReadReference(in, version)));
  TRY(in.End());
  return response;
}

void GetAttributeListResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  for (const AttributeReference& reference : references) WriteReference(out, version, reference);
}

}  // namespace dare::kmip

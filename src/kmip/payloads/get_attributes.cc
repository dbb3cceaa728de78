#include "kmip/payloads/get_attributes.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<GetAttributesRequest> GetAttributesRequest::Decode(ttlv::Reader& in,
                                                          ProtocolVersion version) {
  GetAttributesRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  while (AtReference(in, version)) {
    if (request.references.size() == kMostAttributesInRequest) {
      return Error(Code::kTooLarge, "too many attributes are asked for");
    }
    request.references.push_back(TRY(ReadReference(in, version)));
  }
  TRY(in.End());
  return request;
}

void GetAttributesRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  for (const AttributeReference& reference : references) WriteReference(out, version, reference);
}

Result<GetAttributesResponse> GetAttributesResponse::Decode(ttlv::Reader& in,
                                                            ProtocolVersion version) {
  GetAttributesResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  response.attributes = TRY(ReadAttributeList(in, version));
  TRY(in.End());
  return response;
}

void GetAttributesResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  WriteAttributeList(out, version, attributes);
}

}  // namespace dare::kmip

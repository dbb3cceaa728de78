#include "kmip/payloads/adjust_attribute.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<AdjustAttributeRequest> AdjustAttributeRequest::Decode(ttlv::Reader& in,
                                                              ProtocolVersion version) {
  AdjustAttributeRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.reference = TRY(ReadReference(in, version));
  request.type = TRY(in.Enum<AdjustmentType>(Tag::kAdjustmentType));
  if (in.At(Tag::kAdjustmentValue)) request.value = TRY(in.Next());
  TRY(in.End());
  return request;
}

void AdjustAttributeRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  WriteReference(out, version, reference);
  out.Enum(Tag::kAdjustmentType, type);
  if (value) out.Retagged(Tag::kAdjustmentValue, *value);
}

Result<AdjustAttributeResponse> AdjustAttributeResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  AdjustAttributeResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void AdjustAttributeResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

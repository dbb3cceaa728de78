#include "kmip/payloads/re_key.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<ReKeyRequest> ReKeyRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ReKeyRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.offset = TRY(in.OptionalInterval(Tag::kOffset));
  if (AtAttributes(in, version)) request.attributes = TRY(ReadAttributes(in, version));
  if (!IsVersion1(version)) {
    request.protection_storage_masks = TRY(ReadOptionalProtectionStorageMasks(in));
  }
  TRY(in.End());
  return request;
}

void ReKeyRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  if (offset) out.Interval(Tag::kOffset, *offset);
  if (!attributes.attributes.empty() || !attributes.template_names.empty()) {
    WriteAttributes(out, version, attributes);
  }
  if (!IsVersion1(version) && protection_storage_masks) {
    WriteProtectionStorageMasks(out, *protection_storage_masks);
  }
}

Result<ReKeyResponse> ReKeyResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ReKeyResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version) && AtAttributes(in, version)) {
    response.implied = TRY(ReadAttributes(in, version)).attributes;
  }
  TRY(in.End());
  return response;
}

void ReKeyResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (IsVersion1(version) && !implied.empty()) WriteAttributes(out, version, implied);
}

}  // namespace dare::kmip

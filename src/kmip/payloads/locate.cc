#include "kmip/payloads/locate.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<LocateRequest> LocateRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  LocateRequest request;
  request.maximum_items = TRY(in.OptionalInteger(Tag::kMaximumItems));
  // 1.3 brought the field, but clients page in 1.0 with it (kmippp); it says nothing else there.
  request.offset_items = TRY(in.OptionalInteger(Tag::kOffsetItems));
  request.storage_status_mask = TRY(in.OptionalInteger(Tag::kStorageStatusMask));
  if (version >= kVersion1_1) {
    request.object_group_member = TRY(in.OptionalEnum<ObjectGroupMember>(Tag::kObjectGroupMember));
  }
  request.attributes = TRY(ReadSearchAttributes(in, version));
  TRY(in.End());
  return request;
}

void LocateRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  if (maximum_items) out.Integer(Tag::kMaximumItems, *maximum_items);
  if (offset_items) out.Integer(Tag::kOffsetItems, *offset_items);
  if (storage_status_mask) out.Integer(Tag::kStorageStatusMask, *storage_status_mask);
  if (object_group_member && version >= kVersion1_1) {
    out.Enum(Tag::kObjectGroupMember, *object_group_member);
  }
  WriteSearchAttributes(out, version, attributes);
}

Result<LocateResponse> LocateResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  LocateResponse response;
  response.located_items = TRY(in.OptionalInteger(Tag::kLocatedItems));
  while (in.At(Tag::kUniqueIdentifier)) {
    response.ids.emplace_back(TRY(in.Text(Tag::kUniqueIdentifier)));
  }
  TRY(in.End());
  return response;
}

void LocateResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  if (located_items) out.Integer(Tag::kLocatedItems, *located_items);
  for (const std::string& id : ids) out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

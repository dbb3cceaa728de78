#include "kmip/payloads/notify.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<NotifyRequest> NotifyRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  NotifyRequest request;
  request.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version) || in.At(Tag::kAttributes)) {
    request.changed = TRY(ReadAttributeList(in, version));
  }
  while (!IsVersion1(version) && AtReference(in, version)) {
    request.removed.push_back(TRY(ReadReference(in, version)));
    if (request.removed.size() > kMostAttributesInRequest) {
      return Error(Code::kTooLarge, "too many attributes");
    }
  }
  TRY(in.End());
  return request;
}

void NotifyRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  WriteAttributeList(out, version, changed);
  //= kmip-2.1 6.2.2 Notify
  //# The attributes that have been deleted.
  if (IsVersion1(version)) return;
  for (const AttributeReference& reference : removed) WriteReference(out, version, reference);
}

}  // namespace dare::kmip

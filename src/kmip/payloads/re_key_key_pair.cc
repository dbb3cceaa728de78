#include "kmip/payloads/re_key_key_pair.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<ReKeyKeyPairRequest> ReKeyKeyPairRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ReKeyKeyPairRequest request;
  request.id = TRY(ReadIdentifierAt(Tag::kPrivateKeyUniqueIdentifier, in, version));
  request.offset = TRY(in.OptionalInterval(Tag::kOffset));
  request.attributes = TRY(ReadKeyPairAttributes(in, version));
  TRY(in.End());
  return request;
}

void ReKeyKeyPairRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifierAt(Tag::kPrivateKeyUniqueIdentifier, out, id);
  if (offset) out.Interval(Tag::kOffset, *offset);
  WriteKeyPairAttributes(out, version, attributes);
}

}  // namespace dare::kmip

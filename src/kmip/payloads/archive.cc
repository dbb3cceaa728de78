#include "kmip/payloads/archive.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<ArchiveRequest> ArchiveRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ArchiveRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  TRY(in.End());
  return request;
}

void ArchiveRequest::Encode(ttlv::Writer& out, ProtocolVersion) const { WriteIdentifier(out, id); }

Result<ArchiveResponse> ArchiveResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  ArchiveResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void ArchiveResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

#include "kmip/payloads/obtain_lease.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<ObtainLeaseRequest> ObtainLeaseRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ObtainLeaseRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  TRY(in.End());
  return request;
}

void ObtainLeaseRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
}

Result<ObtainLeaseResponse> ObtainLeaseResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  ObtainLeaseResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  response.lease_time = TRY(in.Interval(Tag::kLeaseTime));
  response.last_change = TRY(in.DateTime(Tag::kLastChangeDate));
  TRY(in.End());
  return response;
}

void ObtainLeaseResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
  out.Interval(Tag::kLeaseTime, lease_time);
  out.DateTime(Tag::kLastChangeDate, last_change);
}

}  // namespace dare::kmip

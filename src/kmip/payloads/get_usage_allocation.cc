#include "kmip/payloads/get_usage_allocation.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<GetUsageAllocationRequest> GetUsageAllocationRequest::Decode(ttlv::Reader& in,
                                                                    ProtocolVersion version) {
  GetUsageAllocationRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.count = TRY(in.LongInteger(Tag::kUsageLimitsCount));
  TRY(in.End());
  return request;
}

void GetUsageAllocationRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
  out.LongInteger(Tag::kUsageLimitsCount, count);
}

Result<GetUsageAllocationResponse> GetUsageAllocationResponse::Decode(ttlv::Reader& in,
                                                                      ProtocolVersion) {
  GetUsageAllocationResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void GetUsageAllocationResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

#include "kmip/payloads/check.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<CheckRequest> CheckRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  CheckRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.usage_limits_count = TRY(in.OptionalLongInteger(Tag::kUsageLimitsCount));
  request.usage_mask = TRY(in.OptionalInteger(Tag::kCryptographicUsageMask));
  request.lease_time = TRY(in.OptionalInterval(Tag::kLeaseTime));
  TRY(in.End());
  return request;
}

void CheckRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
  if (usage_limits_count) out.LongInteger(Tag::kUsageLimitsCount, *usage_limits_count);
  if (usage_mask) out.Integer(Tag::kCryptographicUsageMask, *usage_mask);
  if (lease_time) out.Interval(Tag::kLeaseTime, *lease_time);
}

Result<CheckResponse> CheckResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  CheckResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  response.usage_limits_count = TRY(in.OptionalLongInteger(Tag::kUsageLimitsCount));
  response.usage_mask = TRY(in.OptionalInteger(Tag::kCryptographicUsageMask));
  response.lease_time = TRY(in.OptionalInterval(Tag::kLeaseTime));
  TRY(in.End());
  return response;
}

void CheckResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (usage_limits_count) out.LongInteger(Tag::kUsageLimitsCount, *usage_limits_count);
  if (usage_mask) out.Integer(Tag::kCryptographicUsageMask, *usage_mask);
  if (lease_time) out.Interval(Tag::kLeaseTime, *lease_time);
}

}  // namespace dare::kmip

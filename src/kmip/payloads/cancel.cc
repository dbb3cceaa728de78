#include "kmip/payloads/cancel.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<CancelRequest> CancelRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  CancelRequest request;
  const ByteView correlation = TRY(in.ByteString(Tag::kAsynchronousCorrelationValue));
  request.correlation.assign(correlation.begin(), correlation.end());
  TRY(in.End());
  return request;
}

void CancelRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.ByteString(Tag::kAsynchronousCorrelationValue, correlation);
}

Result<CancelResponse> CancelResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  CancelResponse response;
  const ByteView correlation = TRY(in.ByteString(Tag::kAsynchronousCorrelationValue));
  response.correlation.assign(correlation.begin(), correlation.end());
  response.result = TRY(in.Enum<CancellationResult>(Tag::kCancellationResult));
  TRY(in.End());
  return response;
}

void CancelResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.ByteString(Tag::kAsynchronousCorrelationValue, correlation);
  out.Enum(Tag::kCancellationResult, result);
}

}  // namespace dare::kmip

#include "kmip/payloads/process.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<ProcessRequest> ProcessRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  ProcessRequest request;
  const ByteView correlation = TRY(in.ByteString(Tag::kAsynchronousCorrelationValue));
  request.correlation.assign(correlation.begin(), correlation.end());
  TRY(in.End());
  return request;
}

void ProcessRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.ByteString(Tag::kAsynchronousCorrelationValue, correlation);
}

Result<ProcessResponse> ProcessResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  ProcessResponse response;
  const ByteView correlation = TRY(in.ByteString(Tag::kAsynchronousCorrelationValue));
  response.correlation.assign(correlation.begin(), correlation.end());
  TRY(in.End());
  return response;
}

void ProcessResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.ByteString(Tag::kAsynchronousCorrelationValue, correlation);
}

}  // namespace dare::kmip

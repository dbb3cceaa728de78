#include "kmip/payloads/poll.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<PollRequest> PollRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  PollRequest request;
  const ByteView correlation = TRY(in.ByteString(Tag::kAsynchronousCorrelationValue));
  request.correlation.assign(correlation.begin(), correlation.end());
  TRY(in.End());
  return request;
}

void PollRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.ByteString(Tag::kAsynchronousCorrelationValue, correlation);
}

}  // namespace dare::kmip

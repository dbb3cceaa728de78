#include "kmip/payloads/ping.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<PingRequest> PingRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  PingRequest request;
  TRY(in.End());
  return request;
}

void PingRequest::Encode(ttlv::Writer&, ProtocolVersion) const {}

Result<PingResponse> PingResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  PingResponse response;
  TRY(in.End());
  return response;
}

void PingResponse::Encode(ttlv::Writer&, ProtocolVersion) const {}

}  // namespace dare::kmip

#include "kmip/payloads/log.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<LogRequest> LogRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  LogRequest request;
  request.message = TRY(in.Text(Tag::kLogMessage));
  TRY(in.End());
  return request;
}

void LogRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kLogMessage, message);
}

Result<LogResponse> LogResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  LogResponse response;
  TRY(in.End());
  return response;
}

void LogResponse::Encode(ttlv::Writer&, ProtocolVersion) const {}

}  // namespace dare::kmip

#include "kmip/payloads/set_defaults.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<SetDefaultsRequest> SetDefaultsRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  SetDefaultsRequest request;
  if (in.At(Tag::kDefaultsInformation)) {
    request.defaults = TRY(ReadDefaultsInformation(in, version));
  }
  TRY(in.End());
  return request;
}

void SetDefaultsRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  if (!defaults.empty()) WriteDefaultsInformation(out, defaults, version);
}

Result<SetDefaultsResponse> SetDefaultsResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  SetDefaultsResponse response;
  TRY(in.End());
  return response;
}

void SetDefaultsResponse::Encode(ttlv::Writer&, ProtocolVersion) const {}

}  // namespace dare::kmip

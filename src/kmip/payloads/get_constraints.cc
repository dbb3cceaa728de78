#include "kmip/payloads/get_constraints.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<GetConstraintsRequest> GetConstraintsRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  GetConstraintsRequest request;
  TRY(in.End());
  return request;
}

void GetConstraintsRequest::Encode(ttlv::Writer&, ProtocolVersion) const {}

Result<GetConstraintsResponse> GetConstraintsResponse::Decode(ttlv::Reader& in,
                                                              ProtocolVersion version) {
  GetConstraintsResponse response;
  response.constraints = TRY(ReadConstraints(in, version));
  TRY(in.End());
  return response;
}

void GetConstraintsResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteConstraints(out, constraints, version);
}

}  // namespace dare::kmip

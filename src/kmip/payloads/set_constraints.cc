#include "kmip/payloads/set_constraints.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<SetConstraintsRequest> SetConstraintsRequest::Decode(ttlv::Reader& in,
                                                            ProtocolVersion version) {
  SetConstraintsRequest request;
  if (in.At(Tag::kConstraints)) request.constraints = TRY(ReadConstraints(in, version));
  TRY(in.End());
  return request;
}

void SetConstraintsRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  if (!constraints.empty()) WriteConstraints(out, constraints, version);
}

Result<SetConstraintsResponse> SetConstraintsResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  SetConstraintsResponse response;
  TRY(in.End());
  return response;
}

void SetConstraintsResponse::Encode(ttlv::Writer&, ProtocolVersion) const {}

}  // namespace dare::kmip

#include "kmip/payloads/rng_seed.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<RngSeedRequest> RngSeedRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  RngSeedRequest request;
  request.data = TRY(in.ByteString(Tag::kData));
  TRY(in.End());
  return request;
}

void RngSeedRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.ByteString(Tag::kData, data);
}

Result<RngSeedResponse> RngSeedResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  RngSeedResponse response;
  response.length = TRY(in.Integer(Tag::kDataLength));
  TRY(in.End());
  return response;
}

void RngSeedResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Integer(Tag::kDataLength, length);
}

}  // namespace dare::kmip

#include "kmip/payloads/rng_retrieve.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<RngRetrieveRequest> RngRetrieveRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  RngRetrieveRequest request;
  request.length = TRY(in.Integer(Tag::kDataLength));
  TRY(in.End());
  return request;
}

void RngRetrieveRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Integer(Tag::kDataLength, length);
}

Result<RngRetrieveResponse> RngRetrieveResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  RngRetrieveResponse response;
  const ByteView data = TRY(in.ByteString(Tag::kData));
  response.data.assign(data.begin(), data.end());
  TRY(in.End());
  return response;
}

void RngRetrieveResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.ByteString(Tag::kData, data);
}

}  // namespace dare::kmip

#include "kmip/payloads/discover_versions.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<DiscoverVersionsRequest> DiscoverVersionsRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  DiscoverVersionsRequest request;
  while (in.At(Tag::kProtocolVersion)) request.versions.push_back(TRY(ReadProtocolVersion(in)));
  TRY(in.End());
  return request;
}

void DiscoverVersionsRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  for (const ProtocolVersion version : versions) WriteProtocolVersion(out, version);
}

Result<DiscoverVersionsResponse> DiscoverVersionsResponse::Decode(ttlv::Reader& in,
                                                                  ProtocolVersion) {
  DiscoverVersionsResponse response;
  while (in.At(Tag::kProtocolVersion)) response.versions.push_back(TRY(ReadProtocolVersion(in)));
  TRY(in.End());
  return response;
}

void DiscoverVersionsResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  for (const ProtocolVersion version : versions) WriteProtocolVersion(out, version);
}

}  // namespace dare::kmip

#include "kmip/payloads/interop.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<InteropRequest> InteropRequest::Decode(ttlv::Reader& in, ProtocolVersion) {
  InteropRequest request;
  request.function = TRY(in.Enum<InteropFunction>(Tag::kInteropFunction));
  request.identifier = TRY(in.OptionalText(Tag::kInteropIdentifier)).value_or(std::string_view());
  TRY(in.End());
  return request;
}

void InteropRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Enum(Tag::kInteropFunction, function);
  if (!identifier.empty()) out.Text(Tag::kInteropIdentifier, identifier);
}

Result<InteropResponse> InteropResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  InteropResponse response;
  TRY(in.End());
  return response;
}

void InteropResponse::Encode(ttlv::Writer&, ProtocolVersion) const {}

}  // namespace dare::kmip

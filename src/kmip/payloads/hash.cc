#include "kmip/payloads/hash.h"

#include "kmip/payloads/optional_bytes.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<HashRequest> HashRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  HashRequest request;
  request.parameters = TRY(ReadCryptographicParameters(in));
  request.data = TRY(in.OptionalByteString(Tag::kData));
  if (version >= kVersion1_3) {
    request.correlation = TRY(in.OptionalByteString(Tag::kCorrelationValue));
    request.init = TRY(in.OptionalBoolean(Tag::kInitIndicator));
    request.final = TRY(in.OptionalBoolean(Tag::kFinalIndicator));
  }
  TRY(in.End());
  return request;
}

void HashRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteCryptographicParameters(out, parameters);
  WriteOptionalBytes(out, Tag::kData, data);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
  if (init) out.Boolean(Tag::kInitIndicator, *init);
  if (final) out.Boolean(Tag::kFinalIndicator, *final);
}

Result<HashResponse> HashResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  HashResponse response;
  response.data = TRY(CopyOptionalBytes<Bytes>(in, Tag::kData));
  if (version >= kVersion1_3) {
    response.correlation = TRY(CopyOptionalBytes<Bytes>(in, Tag::kCorrelationValue));
  }
  TRY(in.End());
  return response;
}

void HashResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteOptionalBytes(out, Tag::kData, data);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
}

}  // namespace dare::kmip

#include "kmip/payloads/mac_verify.h"

#include "kmip/payloads/optional_bytes.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<MacVerifyRequest> MacVerifyRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  MacVerifyRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.parameters = TRY(ReadOptionalCryptographicParameters(in));
  request.data = TRY(in.OptionalByteString(Tag::kData));
  request.mac = TRY(in.OptionalByteString(Tag::kMACData));
  if (version >= kVersion1_3) {
    request.correlation = TRY(in.OptionalByteString(Tag::kCorrelationValue));
    request.init = TRY(in.OptionalBoolean(Tag::kInitIndicator));
    request.final = TRY(in.OptionalBoolean(Tag::kFinalIndicator));
  }
  TRY(in.End());
  return request;
}

void MacVerifyRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
  if (parameters) WriteCryptographicParameters(out, *parameters);
  WriteOptionalBytes(out, Tag::kData, data);
  WriteOptionalBytes(out, Tag::kMACData, mac);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
  if (init) out.Boolean(Tag::kInitIndicator, *init);
  if (final) out.Boolean(Tag::kFinalIndicator, *final);
}

Result<MacVerifyResponse> MacVerifyResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  MacVerifyResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  response.validity = TRY(in.OptionalEnum<ValidityIndicator>(Tag::kValidityIndicator));
  if (version >= kVersion1_3) {
    response.correlation = TRY(CopyOptionalBytes<Bytes>(in, Tag::kCorrelationValue));
  }
  TRY(in.End());
  return response;
}

void MacVerifyResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (validity) out.Enum(Tag::kValidityIndicator, *validity);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
}

}  // namespace dare::kmip

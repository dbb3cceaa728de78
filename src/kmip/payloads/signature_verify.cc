#include "kmip/payloads/signature_verify.h"

#include "kmip/payloads/optional_bytes.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<SignatureVerifyRequest> SignatureVerifyRequest::Decode(ttlv::Reader& in,
                                                              ProtocolVersion version) {
  SignatureVerifyRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.parameters = TRY(ReadOptionalCryptographicParameters(in));
  request.data = TRY(in.OptionalByteString(Tag::kData));
  if (version >= kVersion1_4) {
    request.digested_data = TRY(in.OptionalByteString(Tag::kDigestedData));
  }
  request.signature = TRY(in.OptionalByteString(Tag::kSignatureData));
  if (version >= kVersion1_3) {
    request.correlation = TRY(in.OptionalByteString(Tag::kCorrelationValue));
    request.init = TRY(in.OptionalBoolean(Tag::kInitIndicator));
    request.final = TRY(in.OptionalBoolean(Tag::kFinalIndicator));
  }
  TRY(in.End());
  return request;
}

void SignatureVerifyRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
  if (parameters) WriteCryptographicParameters(out, *parameters);
  WriteOptionalBytes(out, Tag::kData, data);
  WriteOptionalBytes(out, Tag::kDigestedData, digested_data);
  WriteOptionalBytes(out, Tag::kSignatureData, signature);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
  if (init) out.Boolean(Tag::kInitIndicator, *init);
  if (final) out.Boolean(Tag::kFinalIndicator, *final);
}

Result<SignatureVerifyResponse> SignatureVerifyResponse::Decode(ttlv::Reader& in,
                                                                ProtocolVersion version) {
  SignatureVerifyResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  response.validity = TRY(in.OptionalEnum<ValidityIndicator>(Tag::kValidityIndicator));
  response.data = TRY(CopyOptionalBytes<Bytes>(in, Tag::kData));
  if (version >= kVersion1_3) {
    response.correlation = TRY(CopyOptionalBytes<Bytes>(in, Tag::kCorrelationValue));
  }
  TRY(in.End());
  return response;
}

void SignatureVerifyResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (validity) out.Enum(Tag::kValidityIndicator, *validity);
  WriteOptionalBytes(out, Tag::kData, data);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
}

}  // namespace dare::kmip

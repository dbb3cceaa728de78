#include "kmip/payloads/sign.h"

#include "kmip/payloads/optional_bytes.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<SignRequest> SignRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  SignRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.parameters = TRY(ReadOptionalCryptographicParameters(in));
  request.data = TRY(in.OptionalByteString(Tag::kData));
  if (version >= kVersion1_4) {
    request.digested_data = TRY(in.OptionalByteString(Tag::kDigestedData));
  }
  if (version >= kVersion1_3) {
    request.correlation = TRY(in.OptionalByteString(Tag::kCorrelationValue));
    request.init = TRY(in.OptionalBoolean(Tag::kInitIndicator));
    request.final = TRY(in.OptionalBoolean(Tag::kFinalIndicator));
  }
  TRY(in.End());
  return request;
}

void SignRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
  if (parameters) WriteCryptographicParameters(out, *parameters);
  WriteOptionalBytes(out, Tag::kData, data);
  WriteOptionalBytes(out, Tag::kDigestedData, digested_data);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
  if (init) out.Boolean(Tag::kInitIndicator, *init);
  if (final) out.Boolean(Tag::kFinalIndicator, *final);
}

Result<SignResponse> SignResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  SignResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  response.signature = TRY(CopyOptionalBytes<Bytes>(in, Tag::kSignatureData));
  if (version >= kVersion1_3) {
    response.correlation = TRY(CopyOptionalBytes<Bytes>(in, Tag::kCorrelationValue));
  }
  TRY(in.End());
  return response;
}

void SignResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
  WriteOptionalBytes(out, Tag::kSignatureData, signature);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
}

}  // namespace dare::kmip

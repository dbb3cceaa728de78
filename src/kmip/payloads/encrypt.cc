#include "kmip/payloads/encrypt.h"

#include "kmip/payloads/optional_bytes.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<EncryptRequest> EncryptRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  EncryptRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  request.parameters = TRY(ReadOptionalCryptographicParameters(in));
  request.data = TRY(in.OptionalByteString(Tag::kData));
  request.iv = TRY(in.OptionalByteString(Tag::kIVCounterNonce));
  if (version >= kVersion1_3) {
    request.correlation = TRY(in.OptionalByteString(Tag::kCorrelationValue));
    request.init = TRY(in.OptionalBoolean(Tag::kInitIndicator));
    request.final = TRY(in.OptionalBoolean(Tag::kFinalIndicator));
  }
  if (version >= kVersion1_4) {
    request.aad = TRY(in.OptionalByteString(Tag::kAuthenticatedEncryptionAdditionalData));
  }
  TRY(in.End());
  return request;
}

void EncryptRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
  if (parameters) WriteCryptographicParameters(out, *parameters);
  WriteOptionalBytes(out, Tag::kData, data);
  WriteOptionalBytes(out, Tag::kIVCounterNonce, iv);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
  if (init) out.Boolean(Tag::kInitIndicator, *init);
  if (final) out.Boolean(Tag::kFinalIndicator, *final);
  WriteOptionalBytes(out, Tag::kAuthenticatedEncryptionAdditionalData, aad);
}

Result<EncryptResponse> EncryptResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  EncryptResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  response.data = TRY(CopyOptionalBytes<Bytes>(in, Tag::kData));
  response.iv = TRY(CopyOptionalBytes<Bytes>(in, Tag::kIVCounterNonce));
  if (version >= kVersion1_3) {
    response.correlation = TRY(CopyOptionalBytes<Bytes>(in, Tag::kCorrelationValue));
  }
  if (version >= kVersion1_4) {
    response.tag = TRY(CopyOptionalBytes<Bytes>(in, Tag::kAuthenticatedEncryptionTag));
  }
  TRY(in.End());
  return response;
}

void EncryptResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
  WriteOptionalBytes(out, Tag::kData, data);
  WriteOptionalBytes(out, Tag::kIVCounterNonce, iv);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
  WriteOptionalBytes(out, Tag::kAuthenticatedEncryptionTag, tag);
}

}  // namespace dare::kmip

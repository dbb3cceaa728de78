#include "kmip/payloads/certify.h"

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

Tag ValueTag(ProtocolVersion version) {
  return IsVersion1(version) ? Tag::kCertificateRequest : Tag::kCertificateRequestValue;
}

}  // namespace

Result<std::optional<RequestToCertify>> ReadRequestToCertify(ttlv::Reader& in,
                                                             ProtocolVersion version) {
  const auto type = TRY(in.OptionalEnum<CertificateRequestType>(Tag::kCertificateRequestType));
  const auto value = TRY(in.OptionalByteString(ValueTag(version)));
  //= kmip-2.1 6.1.6 Certify
  //# Certificate Request Type [...] It is REQUIRED if the Certificate Request is present
  if (type.has_value() != value.has_value()) {
    return Error(Code::kMalformed, "a certificate request goes with its type");
  }
  std::optional<RequestToCertify> request;
  if (type) request = RequestToCertify{*type, ToBytes(*value)};
  if (!request && version < kVersion1_1) {
    return Error(Code::kMalformed, "without a certificate request");
  }
  return request;
}

void WriteRequestToCertify(ttlv::Writer& out, ProtocolVersion version,
                           const std::optional<RequestToCertify>& request) {
  if (!request) return;
  out.Enum(Tag::kCertificateRequestType, request->type);
  out.ByteString(ValueTag(version), request->value);
}

Result<CertifyRequest> CertifyRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  CertifyRequest read;
  read.id = TRY(ReadIdentifier(in, version));
  read.request = TRY(ReadRequestToCertify(in, version));
  if (AtAttributes(in, version)) read.attributes = TRY(ReadAttributes(in, version));
  if (!IsVersion1(version)) {
    read.protection_storage_masks = TRY(ReadOptionalProtectionStorageMasks(in));
  }
  TRY(in.End());
  return read;
}

void CertifyRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  WriteRequestToCertify(out, version, request);
  if (!attributes.attributes.empty() || !attributes.template_names.empty()) {
    WriteAttributes(out, version, attributes);
  }
  if (!IsVersion1(version) && protection_storage_masks) {
    WriteProtectionStorageMasks(out, *protection_storage_masks);
  }
}

Result<CertifyResponse> CertifyResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  CertifyResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version) && AtAttributes(in, version)) {
    response.implied = TRY(ReadAttributes(in, version)).attributes;
  }
  TRY(in.End());
  return response;
}

void CertifyResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (IsVersion1(version) && !implied.empty()) WriteAttributes(out, version, implied);
}

}  // namespace dare::kmip

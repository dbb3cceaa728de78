#include "kmip/payloads/re_certify.h"

#include <utility>

#include "kmip/tags.h"

namespace dare::kmip {

Result<ReCertifyRequest> ReCertifyRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ReCertifyRequest read;
  read.id = TRY(ReadIdentifier(in, version));
  if (!IsVersion1(version) && in.At(Tag::kCertificateRequestUniqueIdentifier)) {
    read.request_id = TRY(ReadIdentifierAt(Tag::kCertificateRequestUniqueIdentifier, in, version));
  }
  read.request = TRY(ReadRequestToCertify(in, version));
  read.offset = TRY(in.OptionalInterval(Tag::kOffset));
  if (AtAttributes(in, version)) read.attributes = TRY(ReadAttributes(in, version));
  if (!IsVersion1(version)) {
    read.protection_storage_masks = TRY(ReadOptionalProtectionStorageMasks(in));
  }
  TRY(in.End());
  return read;
}

void ReCertifyRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteIdentifier(out, id);
  if (!IsVersion1(version) && request_id) {
    WriteIdentifierAt(Tag::kCertificateRequestUniqueIdentifier, out, *request_id);
  }
  WriteRequestToCertify(out, version, request);
  if (offset) out.Interval(Tag::kOffset, *offset);
  if (!attributes.attributes.empty() || !attributes.template_names.empty()) {
    WriteAttributes(out, version, attributes);
  }
  if (!IsVersion1(version) && protection_storage_masks) {
    WriteProtectionStorageMasks(out, *protection_storage_masks);
  }
}

Result<ReCertifyResponse> ReCertifyResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  CertifyResponse same = TRY(CertifyResponse::Decode(in, version));
  return ReCertifyResponse{std::move(same.id), std::move(same.implied)};
}

void ReCertifyResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  CertifyResponse{id, implied}.Encode(out, version);
}

}  // namespace dare::kmip

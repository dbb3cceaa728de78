#include "kmip/payloads/validate.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<ValidateRequest> ValidateRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  ValidateRequest request;
  const auto count = [&] { return request.certificates.size() + request.ids.size(); };
  while (in.At(Tag::kCertificate) && count() <= kMostCertificatesInChain) {
    const ttlv::Item certificate = TRY(in.Next());
    request.certificates.push_back(TRY(ReadCertificate(certificate)));
  }
  while (in.At(Tag::kUniqueIdentifier) && count() <= kMostCertificatesInChain) {
    request.ids.push_back(TRY(ReadIdentifier(in, version)));
  }
  if (count() > kMostCertificatesInChain) {
    return Error(Code::kTooLarge, "too many certificates for one chain");
  }
  request.date = TRY(in.OptionalDateTime(Tag::kValidityDate));
  TRY(in.End());
  return request;
}

void ValidateRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  for (const CertificateObject& certificate : certificates) {
    out.Structure(Tag::kCertificate, [&] {
      out.Enum(Tag::kCertificateType, certificate.type);
      out.ByteString(Tag::kCertificateValue, certificate.value);
    });
  }
  for (const Identifier& id : ids) WriteIdentifier(out, id);
  if (date) out.DateTime(Tag::kValidityDate, *date);
}

Result<ValidateResponse> ValidateResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  ValidateResponse response;
  response.validity = TRY(in.Enum<ValidityIndicator>(Tag::kValidityIndicator));
  TRY(in.End());
  return response;
}

void ValidateResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Enum(Tag::kValidityIndicator, validity);
}

}  // namespace dare::kmip

#include "kmip/certificate.h"

#include "kmip/tags.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

Result<CertificateObject> ReadCertificate(const ttlv::Item& object) {
  if (object.tag != Tag::kCertificate) return object.Fault("is no Certificate");
  ttlv::Reader members = TRY(object.Members());
  CertificateObject read;
  read.type = TRY(members.Enum<CertificateType>(Tag::kCertificateType));
  read.value = TRY(members.ByteString(Tag::kCertificateValue));
  TRY(members.End());
  return read;
}

Result<SecretBytes> MakeCertificate(CertificateType type, ByteView value) {
  ttlv::Writer out;
  out.Structure(Tag::kCertificate, [&] {
    out.Enum(Tag::kCertificateType, type);
    out.ByteString(Tag::kCertificateValue, value);
  });
  return SecretBytes::CopyOf(out.bytes());
}

Result<CertificateRequestObject> ReadCertificateRequest(const ttlv::Item& object) {
  if (object.tag != Tag::kCertificateRequest) return object.Fault("is no Certificate Request");
  ttlv::Reader members = TRY(object.Members());
  CertificateRequestObject read;
  read.type = TRY(members.Enum<CertificateRequestType>(Tag::kCertificateRequestType));
  read.value = TRY(members.ByteString(Tag::kCertificateRequestValue));
  TRY(members.End());
  return read;
}

}  // namespace dare::kmip

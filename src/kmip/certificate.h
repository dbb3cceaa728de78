#pragma once

#include "base/result.h"
#include "base/secret_bytes.h"
#include "kmip/enums.h"
#include "ttlv/item.h"

// The managed objects that have no Key Block: Certificate (kmip-2.1 2.1; kmip-1.4 2.2.1) and
// Certificate Request (kmip-2.1 2.2).
namespace dare::kmip {

// Borrowed from the object's structure.
struct CertificateObject {
  CertificateType type{};
  ByteView value;
};
Result<CertificateObject> ReadCertificate(const ttlv::Item& object);
Result<SecretBytes> MakeCertificate(CertificateType type, ByteView value);

struct CertificateRequestObject {
  CertificateRequestType type{};
  ByteView value;
};
Result<CertificateRequestObject> ReadCertificateRequest(const ttlv::Item& object);

}  // namespace dare::kmip

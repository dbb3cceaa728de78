#pragma once

#include <optional>

#include "engine/certificate_issuer.h"
#include "engine/operation.h"
#include "kmip/attributes.h"
#include "kmip/payloads/certify.h"

// What Certify and Re-certify have in common: from a request to a signed certificate object.
namespace dare::engine {

// Operation Not Supported where this server has no issuer, Permission Denied where it does not
// serve this principal.
Result<const CertificateIssuer*> IssuerFor(const OperationContext& context);
// Permission Denied where it does not.
Result<void> CheckServes(const CertificateIssuer& issuer, const policy::Principal& principal);

// Reads a certificate request that came in the message or is kept as an object. Invalid CSR (1.x:
// Invalid Field) for what is none or not signed with its own key; Feature Not Supported for CRMF
// and PGP; Permission Denied for one that wants to be an authority.
Result<CertificateWish> WishOf(kmip::CertificateRequestType type, ByteView value);

// Signs, and gives the object structure Certificate {…} and its attributes: those in `attributes`
// completed and, where they conflict, corrected by what the certificate says. Refuses keys that the
// algorithm policy refuses.
struct Certified {
  SecretBytes material;
  kmip::AttributeSet attributes;
};
Result<Certified> IssueCertificate(const CertificateIssuer& issuer, CertificateWish wish,
                                   kmip::AttributeSet attributes, const OperationContext& context);

// The object must hold this key (SubjectPublicKeyInfo, DER); Invalid CSR otherwise.
Result<void> CheckSameKey(ByteView public_key, ByteView other);

// Whether the object may be certified (again): not destroyed, not revoked, not past its time.
Result<void> CheckMayBeCertified(const StoredObject& stored, const OperationContext& context);

}  // namespace dare::engine

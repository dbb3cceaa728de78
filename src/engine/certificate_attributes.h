#pragma once

#include "engine/operation.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "ttlv/item.h"

// What the server learns from a certificate, a certificate request or a PGP key and keeps as
// attributes, so that clients need not read ASN.1 and Locate finds by it (kmip-2.1 4.6
// to 4.8, 4.22, 4.61 to 4.63; kmip-1.4 3.8 to 3.16).
namespace dare::engine {

// Adds the attributes of the Certificate `object` to those that the client gave, which must agree
// with them: type, length, name parts, algorithms, and the usage mask where none was given.
// Invalid Field for what is no such certificate or disagrees; for PGP certificates nothing but type
// and length is known.
Result<void> AddCertificateAttributes(kmip::AttributeSet& attributes, const ttlv::Item& object,
                                      const OperationContext& context);

// The same for a Certificate Request; Invalid CSR (1.x: Invalid Field) for one of PKCS#10 or PEM
// that cannot be read or is not signed with its own key.
Result<void> AddRequestAttributes(kmip::AttributeSet& attributes, const ttlv::Item& object,
                                  const OperationContext& context);

// Whether the server keeps an attribute of this kind only because a certificate says so.
bool IsOfCertificate(kmip::Tag tag);

// KMIP's word for keys of this kind.
struct KeyAlgorithmAndLength {
  kmip::CryptographicAlgorithm algorithm{};
  std::int32_t bits = 0;
};
// Nothing for kinds that KMIP has no word for. `public_key` is a SubjectPublicKeyInfo.
std::optional<KeyAlgorithmAndLength> AlgorithmOf(ByteView public_key);

}  // namespace dare::engine

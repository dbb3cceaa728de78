#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/algorithms.h"
#include "crypto/asymmetric_key.h"

// What X.509 certificates say (RFC 5280), as plain data.
namespace dare::crypto {

// The attributes of names that KMIP gives a name of its own.
enum class NameAttribute : std::uint8_t {
  kCommonName,
  kOrganization,
  kOrganizationalUnit,
  kEmail,
  kCountry,
  kState,
  kLocality,
  kUserId,
  kSerialNumber,
  kTitle,
  kDomainComponent,
  kDnQualifier,
};

struct DistinguishedName {
  Bytes der;
  std::string text;  // RFC 2253: "CN=EE,O=Kmip Test,C=AU"
  // Those with a NameAttribute, UTF-8, in the order of the encoding.
  std::vector<std::pair<NameAttribute, std::string>> attributes;
};

struct AlternativeName {
  Bytes der;         // GeneralName
  std::string text;  // of an address, host name, URI or IP address; empty for other kinds
};

enum class SignatureFamily : std::uint8_t { kOther, kRsa, kRsaPss, kDsa, kEcdsa };

// The bits of the Key Usage extension, RFC 5280, 4.2.1.3; the values are ours.
enum KeyUsage : std::uint32_t {
  kUsageDigitalSignature = 1u << 0,
  kUsageContentCommitment = 1u << 1,
  kUsageKeyEncipherment = 1u << 2,
  kUsageDataEncipherment = 1u << 3,
  kUsageKeyAgreement = 1u << 4,
  kUsageCertificateSign = 1u << 5,
  kUsageCrlSign = 1u << 6,
  kUsageEncipherOnly = 1u << 7,
  kUsageDecipherOnly = 1u << 8,
};

// What one certificate says. Nothing in it was verified: whoever made it wrote it.
struct CertificateFacts {
  DistinguishedName subject, issuer;
  std::vector<AlternativeName> subject_alternatives, issuer_alternatives;
  Bytes subject_alternatives_der;       // GeneralNames; empty: no such extension
  Bytes serial;                         // INTEGER, DER
  std::string serial_hex;               // its magnitude, upper-case hex of whole bytes
  Bytes public_key;                     // SubjectPublicKeyInfo, DER
  std::optional<KeyFamily> key_family;  // none for keys that OpenSSL cannot read
  std::int32_t key_bits = 0;            // as KeyFacts::bits
  SignatureFamily signature = SignatureFamily::kOther;
  std::optional<HashAlgorithm> signature_hash;  // none for kOther; of PSS not told
  std::optional<std::uint32_t> key_usage;       // KeyUsage bits; absent: no such extension
  bool authority = false;                       // may sign certificates
  std::int64_t not_before = 0, not_after = 0;   // POSIX seconds
};

// The family and the bits of a SubjectPublicKeyInfo; nothing for kinds of key unknown here.
std::optional<std::pair<KeyFamily, std::int32_t>> PublicKeyKind(ByteView public_key);

// Every certificate in a PEM text, DER; kMalformed when there is none, or one cannot be read.
Result<std::vector<Bytes>> ParseCertificatesPem(ByteView pem);

// kMalformed when `der` is not one X.509 certificate, or is a little more than that.
Result<CertificateFacts> ReadCertificate(ByteView der);

}  // namespace dare::crypto

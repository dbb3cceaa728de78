#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// X.509 certificates made by us, signed with a key that OpenSSL cannot reach. RFC 5280.
namespace dare::crypto {

// Signs a SHA-256 digest with the issuer's key, wherever that is (an HSM): gives the ECDSA
// signature in DER, or RSASSA-PKCS1-v1_5 where the issuer's key is of RSA.
using DigestSigner = std::function<Result<Bytes>(ByteView digest)>;

// What goes into one certificate.
struct CertificatePlan {
  Bytes subject;                                        // Name, DER
  Bytes public_key;                                     // SubjectPublicKeyInfo, DER
  std::int64_t not_before = 0;                          // POSIX seconds
  std::int64_t not_after = 0;                           // cut to the issuer's own end
  std::vector<std::pair<int, std::string>> extensions;  // NID and OpenSSL's text form
  Bytes subject_alternatives;  // GeneralNames, DER; critical where the subject is empty
};

// Builds, signs and checks one certificate, with a random serial number. `issuer` is the issuer's
// certificate, empty for a self-signed one. kDenied when the issuer has expired at
// `plan.not_before`; kInternal when `sign` does not sign with the issuer's key.
Result<Bytes> BuildCertificate(const CertificatePlan& plan, ByteView issuer,
                               const DigestSigner& sign);

// The numbers by which OpenSSL knows what our certificates use; callers need none of its headers.
inline constexpr int kCommonNameNid = 13;
inline constexpr int kSubjectKeyIdentifierNid = 82;
inline constexpr int kKeyUsageNid = 83;
inline constexpr int kBasicConstraintsNid = 87;
inline constexpr int kAuthorityKeyIdentifierNid = 90;
inline constexpr int kExtendedKeyUsageNid = 126;

// A Name of these attributes (NID and UTF-8 text), in this order, DER.
Result<Bytes> EncodeName(const std::vector<std::pair<int, std::string>>& attributes);
// Reads "CN=KMIP,OU=OASIS,O=TEST,C=US": RFC 4514 without its escapes, the last attribute first in
// the encoding. kInvalidArgument for anything else.
Result<Bytes> ParseName(const std::string& text);

}  // namespace dare::crypto

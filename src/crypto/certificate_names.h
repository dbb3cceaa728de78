#pragma once

#include <openssl/ossl_typ.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace dare::crypto {

// The names in a certificate by which somebody may be known, in the order of the encoding. UTF-8
// without control characters; those of alternative names are ASCII.
struct CertificateNames {
  std::string subject;  // RFC 2253: "CN=web1,O=Example"
  std::vector<std::string> common_names, units;
  std::vector<std::string> hosts, uris, emails;  // subjectAltName: dNSName, URI, rfc822Name
};

// Reads strictly: a name that two programs could read differently is none. kMalformed for string
// types other than UTF8String, PrintableString and IA5String in the subject, for NUL and other
// control characters, for alternative names that cannot be read, stand there twice or are more than
// 64, and for what is not ASCII in them.
Result<CertificateNames> ReadNames(const X509* certificate);

}  // namespace dare::crypto

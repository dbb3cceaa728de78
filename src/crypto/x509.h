#pragma once

#include <openssl/ossl_typ.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

// What we read from certificates. For the .cc files that call OpenSSL only: OpenSSL's types do not
// travel further.
namespace dare::crypto {

// The last value of the attribute `nid` in a name (UTF-8), empty when there is none.
std::string NameEntry(const X509_NAME* name, int nid);
std::vector<std::string> NameEntries(const X509_NAME* name, int nid);
// The name that a client certificate proves: its common name, if it has exactly one and nothing in
// it could be read as another name (control characters, NUL). Empty otherwise, and then the peer is
// nobody: of two names, one would be looked at by whoever signed and the other by us.
std::string ProvenName(const X509_NAME* name);
// The whole name as RFC 2253 writes it, UTF-8: "CN=EE,O=Kmip Test,C=AU"; kMalformed.
Result<std::string> NameText(const X509_NAME* name);
// Lower-case hex without leading zeroes.
std::string SerialOf(const X509* certificate);
// SHA-256 of the DER.
Result<Bytes> FingerprintOf(const X509* certificate);
// POSIX seconds; 0 for what cannot be represented.
std::int64_t ToUnixTime(const ASN1_TIME* time);
// The first entry of OpenSSL's error queue as text; the queue is emptied.
std::string TakeOpenSslError();

}  // namespace dare::crypto

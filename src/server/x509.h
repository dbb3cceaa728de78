#pragma once

#include <openssl/ossl_typ.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

// What we read from certificates. For the .cc files of this folder only: OpenSSL's types do not
// travel further.
namespace dare::server {

// The last value of the attribute `nid` in a name (UTF-8), empty when there is none.
std::string NameEntry(const X509_NAME* name, int nid);
std::vector<std::string> NameEntries(const X509_NAME* name, int nid);
// Lower-case hex without leading zeroes.
std::string SerialOf(const X509* certificate);
// SHA-256 of the DER.
Result<Bytes> FingerprintOf(const X509* certificate);
// POSIX seconds; 0 for what cannot be represented.
std::int64_t ToUnixTime(const ASN1_TIME* time);
// The first entry of OpenSSL's error queue as text; the queue is emptied.
std::string TakeOpenSslError();

}  // namespace dare::server

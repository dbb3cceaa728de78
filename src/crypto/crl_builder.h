#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/certificate_builder.h"

// Certificate revocation lists made by us, signed with a key that OpenSSL cannot reach. RFC 5280,
// section 5.
namespace dare::crypto {

// What goes into one list. Times are POSIX seconds.
struct CrlPlan {
  struct Entry {
    std::string serial;  // hex
    std::int64_t revoked = 0;
  };
  std::uint64_t number = 0;  // greater than that of every list before it
  std::int64_t this_update = 0;
  std::int64_t next_update = 0;
  std::vector<Entry> entries;
};

// Builds, signs and checks a list of version 2 with a CRL Number and the issuer's key identifier.
// `issuer` is the certificate of the authority whose key `sign` uses. kInvalidArgument for an
// entry whose serial is none, kDenied when the issuer has expired at `this_update` or may not sign
// lists, kInternal when `sign` does not sign with the issuer's key.
Result<Bytes> BuildCrl(const CrlPlan& plan, ByteView issuer, const DigestSigner& sign);

}  // namespace dare::crypto

#include "server/enrolment_store.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cctype>
#include <tuple>

#include "base/secret_bytes.h"

namespace dare::server {
namespace {

constexpr std::size_t kTokenBytes = 32;

}  // namespace

Bytes HashToken(std::string_view token) {
  Bytes hash(SHA256_DIGEST_LENGTH);
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

Result<std::string> NewToken(const TokenGrant& grant, std::int64_t now) {
  TRY(CheckSubject(grant.subject));
  if (grant.uses < 1 || grant.expires <= now) {
    return Error(Code::kInvalidArgument, "a token needs a use and time to be used in");
  }
  const SecretBytes random = TRY(SecretBytes::Random(kTokenBytes));
  return ToHex(random.Reveal());
}

Error TokenRefused() { return Error(Code::kUnauthenticated, "the enrolment token is not valid"); }

Error RenewalRefused() {
  return Error(Code::kUnauthenticated,
               "the certificate was not issued here, or is revoked or expired");
}

Result<std::string> NormalSerial(std::string_view given) {
  std::string_view serial = given;
  if (serial.starts_with("0x") || serial.starts_with("0X")) serial.remove_prefix(2);
  std::string normal;
  for (const char c : serial) {
    if (c == ':' || (c == '0' && normal.empty())) continue;
    normal += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (normal.empty() || normal.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Error(Code::kInvalidArgument,
                 "'" + std::string(given) + "' is not a serial number (hex)");
  }
  return normal;
}

void SortByIssue(std::vector<CertificateRecord>& records) {
  std::ranges::sort(records, {},
                    [](const CertificateRecord& r) { return std::tie(r.issued, r.serial); });
}

}  // namespace dare::server

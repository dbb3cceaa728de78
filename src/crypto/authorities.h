#pragma once

#include <openssl/ossl_typ.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::crypto {

struct UnverifiedRevocationList;  // crypto/revocation_list.h

// Authorities are those whose revocation lists are believed. Each is a name and a key: two
// certificates with the same ones are of one authority, whose lists are about what was issued under
// either. Thread-safe after the last Add.
class Authorities {
 public:
  Authorities();
  Authorities(Authorities&&) noexcept;
  Authorities& operator=(Authorities&&) noexcept;
  ~Authorities();

  // Gives its number, the same for the same authority. kMalformed for what is no certificate.
  Result<std::size_t> Add(ByteView certificate);
  std::size_t size() const { return authorities_.size(); }

  // Who issued `certificate`, which was verified; nothing for somebody else. `above` is the next
  // certificate of its chain, null for the last.
  std::optional<std::size_t> IssuerOf(X509* certificate, const X509* above) const;

  // Who signed the list. kNotFound when its issuer is none of these; kUnauthenticated when one has
  // that name, but the signature is by another key; kDenied when that one may not sign lists (key
  // usage); kUnsupported for a signature over a hash of less than 112 bits of strength.
  Result<std::size_t> SignerOf(const UnverifiedRevocationList& list) const;

 private:
  struct Authority;
  std::vector<std::unique_ptr<Authority>> authorities_;
};

// The serial number of a certificate as lists have it: the content of the INTEGER.
Bytes SerialContentOf(const X509* certificate);

}  // namespace dare::crypto

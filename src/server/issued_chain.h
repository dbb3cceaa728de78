#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace dare::server {

// What the certificates of a verified chain are called on their issuers' revocation lists: a serial
// number says something only together with who gave it. The client's own comes first.
struct IssuedChain {
  struct Link {
    std::optional<std::size_t> issuer;  // of crypto::Authorities; nothing: none of them
    Bytes serial;                       // the content of the INTEGER
    friend bool operator==(const Link&, const Link&) = default;
  };
  std::vector<Link> links;
  friend bool operator==(const IssuedChain&, const IssuedChain&) = default;
};

// A CertificateMark is all by which a certificate can be found revoked, but for its principal, as
// one text without spaces at its ends: for what outlives the connection (tickets). It holds within
// this process, whose authorities it counts: "1f3a 0:1f3a 1:07".
struct CertificateMark {
  std::string serial;  // as in Peer
  IssuedChain chain;   // without links: no lists are read

  std::string Text() const;
  // kMalformed for what Text() did not write.
  static Result<CertificateMark> Parse(std::string_view text);
  friend bool operator==(const CertificateMark&, const CertificateMark&) = default;
};

}  // namespace dare::server

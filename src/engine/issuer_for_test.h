#pragma once

#include <memory>
#include <optional>

#include "engine/certificate_issuer.h"

namespace dare::engine {

// An authority "CN=KMIP,OU=OASIS,O=TEST,C=US" with a key in memory. Serves alice only. Remembers
// the last wish.
class IssuerForTest : public CertificateIssuer {
 public:
  explicit IssuerForTest(std::int64_t now);
  ~IssuerForTest() override;

  bool Serves(const policy::Principal& principal) const override;
  const Bytes& certificate() const override { return certificate_; }
  Result<Bytes> Issue(const CertificateWish& wish, std::int64_t now) const override;

  const CertificateWish& last() const { return last_; }

 private:
  struct Key;
  Result<Bytes> Sign(ByteView digest) const;

  std::unique_ptr<Key> key_;
  Bytes certificate_;
  mutable CertificateWish last_;  // one test thread at a time
};

}  // namespace dare::engine

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/certificate_issuer.h"
#include "hsm/session_pool.h"
#include "hsm/signing_key.h"
#include "server/config.h"

namespace dare::kms {

// Signs the certificates of KMIP's Certify with a key in the HSM, under an authority that serves
// this purpose alone. Thread-safe.
class HsmCertificateIssuer : public engine::CertificateIssuer {
 public:
  // kInvalidArgument where the authority's certificate does not fit its key, may not sign
  // certificates, or stands in any relation to those whose certificates prove who a client is
  // (tls.client_ca): then what a client had certified could open a connection in another's name.
  static Result<std::unique_ptr<HsmCertificateIssuer>> Open(const server::Config& config,
                                                            std::shared_ptr<hsm::SessionPool> pool);

  bool Serves(const policy::Principal& principal) const override;
  const Bytes& certificate() const override { return certificate_; }
  Result<Bytes> Issue(const engine::CertificateWish& wish, std::int64_t now) const override;

 private:
  HsmCertificateIssuer(const server::CertifyConfig& config, std::shared_ptr<hsm::SigningKey> key,
                       Bytes certificate)
      : config_(config), key_(std::move(key)), certificate_(std::move(certificate)) {}

  const server::CertifyConfig config_;
  const std::shared_ptr<hsm::SigningKey> key_;
  const Bytes certificate_;
};

}  // namespace dare::kms

#include <algorithm>
#include <iostream>

#include "base/file.h"
#include "commands.h"
#include "hsm/signing_key.h"
#include "process.h"
#include "server/ca.h"
#include "server/config.h"
#include "token.h"

namespace dare::kms {
namespace {

Result<server::Certificate> ReadCertificate(const std::string& path) {
  const Bytes pem = TRY(ReadFile(path));
  auto certificate = server::ParseCertificatePem(pem);
  if (!certificate) return certificate.error().In(path);
  return certificate;
}

}  // namespace

Result<void> RenewServerCertificate(const RenewServerOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(1u << 18, config.crypto_policy));
  if (config.ca.certificate_file.empty()) {
    return Error(Code::kInvalidArgument, options.config + " names no CA of our own ([ca])");
  }
  server::Certificate root = TRY(ReadCertificate(config.ca.certificate_file));
  const server::Certificate present = TRY(ReadCertificate(config.tls.certificate_file));
  std::vector<std::string> names = TRY(server::AlternativeNamesOf(present));
  for (const std::string& name : options.server_names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  auto pool = TRY(OpenToken(config.hsm));
  auto ca_key = TRY(hsm::SigningKey::Find(pool, config.ca.key_label));
  const auto authority = TRY(server::CertificateAuthority::Open(
      std::move(root), [&](ByteView digest) { return ca_key->Sign(digest); }));
  const server::NewKey key = TRY(server::MakeP256Key());
  const server::Certificate certificate =
      TRY(authority.IssueServer(names, key.public_der, kServerCertificateDays));
  TRY(WriteFileDurably(config.tls.key_file, key.private_pem.Reveal(), 0600));
  TRY(WriteFileDurably(config.tls.certificate_file, AsBytes(server::ToPem(certificate)), 0644));
  std::cout << "made " << config.tls.certificate_file << " for";
  for (const std::string& name : names) std::cout << " " << name;
  std::cout << "\nnext:\n  restart dare-kms" << std::endl;
  return {};
}

}  // namespace dare::kms

#include <iostream>

#include "base/clock.h"
#include "base/file.h"
#include "certificate_issuer.h"
#include "commands.h"
#include "crypto/certificate_builder.h"
#include "hsm/signing_key.h"
#include "process.h"
#include "server/ca.h"
#include "server/config.h"
#include "token.h"

namespace dare::kms {
namespace {

constexpr std::int64_t kDay = 86400;

Result<Bytes> MakeCertificate(const MakeCertifyAuthorityOptions& options, hsm::SigningKey& key) {
  crypto::CertificatePlan plan;
  plan.subject = TRY(crypto::ParseName(options.name));
  plan.public_key = key.PublicKeyDer();
  plan.not_before = SystemClock::Get().Now() - 300;
  plan.not_after = plan.not_before + options.days * kDay;
  plan.extensions = {{crypto::kBasicConstraintsNid, "critical,CA:TRUE,pathlen:0"},
                     {crypto::kKeyUsageNid, "critical,keyCertSign,cRLSign"},
                     {crypto::kSubjectKeyIdentifierNid, "hash"}};
  return crypto::BuildCertificate(plan, {}, [&](ByteView digest) { return key.Sign(digest); });
}

}  // namespace

Result<void> MakeCertifyAuthority(const MakeCertifyAuthorityOptions& options) {
  server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(1u << 18, config.crypto_policy));
  const std::string path =
      options.out.empty() ? FolderOf(config.file) + "/certify.pem" : options.out;
  if (FileExists(path)) return Error(Code::kAlreadyExists, path + " exists; nothing was changed");
  TRY(crypto::ParseName(options.name));  // before a key is made
  auto pool = TRY(OpenToken(config.hsm));
  auto key = TRY(hsm::SigningKey::Create(
      pool, config.certify.key_label,
      options.rsa ? hsm::SigningKeyKind::kRsa2048 : hsm::SigningKeyKind::kP256));
  server::Certificate certificate;
  certificate.der = TRY(MakeCertificate(options, *key));
  TRY(WriteFileDurably(path, AsBytes(server::ToPem(certificate)), 0644, false));
  config.certify.certificate_file = path;
  TRY(HsmCertificateIssuer::Open(config, pool));  // as the server will
  std::cout << "made key '" << config.certify.key_label << "' in the token and " << path
            << "\nnext:\n  add to " << config.file << ":\n    [certify]\n    certificate = \""
            << path << "\"\n    clients = [\"NAME\"]\n  restart dare-kms" << std::endl;
  return {};
}

}  // namespace dare::kms

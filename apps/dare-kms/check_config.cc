#include <iostream>

#include "base/file.h"
#include "commands.h"
#include "crypto/fips_policy.h"
#include "server/authority_lists.h"
#include "server/config.h"
#include "server/principal_rules.h"

namespace dare::kms {
namespace {

// The server begins without a list, and refuses clients; who asks first is told.
Result<void> CheckAuthorityLists(const server::Config& config) {
  const auto lists = TRY(server::LoadAuthorityLists(config.tls, config.ca.certificate_file));
  if (lists == nullptr) return {};
  const std::vector<std::string> troubles = lists->Troubles();
  if (!troubles.empty()) return Error(Code::kInvalidArgument, "tls.crl_files: " + troubles.front());
  return {};
}

}  // namespace

Result<void> CheckConfig(const std::string& path) {
  const server::Config config = TRY(server::LoadConfig(path));
  const std::string* const files[] = {
      &config.hsm.module,         &config.tls.certificate_file,    &config.tls.key_file,
      &config.tls.client_ca_file, &config.tls.crl_issuers_file,    &config.ca.certificate_file,
      &config.hsm.softhsm2_conf,  &config.certify.certificate_file};
  for (const std::string* file : files) {
    if (file->empty() || FileExists(*file)) continue;
    return Error(Code::kNotFound, path + " names " + *file + ", which does not exist");
  }
  TRY(server::LoadPrincipalRules(config.principals, config.ca.certificate_file));
  TRY(CheckAuthorityLists(config));
  TRY(crypto::ApplyPolicy(config.crypto_policy, crypto::ProviderLoading::kMayLoad));
  std::cout << path << ": good" << std::endl;
  return {};
}

}  // namespace dare::kms

#include <openssl/crypto.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <memory>

#include "crypto/aead.h"
#include "crypto/fips_policy.h"
#include "session.h"

namespace dare::cli {
namespace {

// Who encrypts data here, under the policy that this run applied.
Result<std::string> BulkKernel() {
  const Bytes no_key(32);
  return std::string(TRY(crypto::Aead::Create(no_key)).kernel_name());
}

Result<void> PrintVersion(bool json) {
  const std::string kernel = TRY(BulkKernel());
  const std::string policy = crypto::ConfinedToFips() ? "fips" : "default";
  const std::string provider = crypto::FipsProvider();
  const char* const openssl = OpenSSL_version(OPENSSL_VERSION);
  if (json) {
    boost::json::object crypto{{"policy", policy}, {"aes_gcm", kernel}, {"openssl", openssl}};
    crypto["fips_provider"] =
        provider.empty() ? boost::json::value() : boost::json::value(provider);
    std::cout << boost::json::object{{"version", DARE_VERSION}, {"crypto", std::move(crypto)}}
              << "\n";
    return {};
  }
  std::cout << "dare " << DARE_VERSION << "\n"
            << "sealed files: AWS Encryption SDK messages, suite 0x0478\n"
            << "kmip: 1.2 to 2.1\n"
            << openssl << "\n"
            << "crypto policy: " << policy << "; AES-GCM of data by " << kernel << "\n";
  if (!provider.empty()) std::cout << "FIPS provider: " << provider << "\n";
  return {};
}

}  // namespace

void AddVersion(CLI::App& app, Session& session) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand(
      "version", "Print the version, the crypto policy and what encrypts under it");
  verb->add_flag("--json", *json, "As a JSON object");
  verb->callback([&session, json] { session.action = [json] { return PrintVersion(*json); }; });
}

}  // namespace dare::cli

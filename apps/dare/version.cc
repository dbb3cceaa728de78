#include <openssl/crypto.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "session.h"

namespace dare::cli {

void AddVersion(CLI::App& app, Session& session) {
  CLI::App* verb = app.add_subcommand("version", "Print the version");
  verb->callback([&session] {
    session.action = []() -> Result<void> {
      std::cout << "dare " << DARE_VERSION << "\n"
                << "sealed files: AWS Encryption SDK messages, suite 0x0478\n"
                << "kmip: 1.2 to 2.1\n"
                << OpenSSL_version(OPENSSL_VERSION) << "\n";
      return {};
    };
  });
}

}  // namespace dare::cli

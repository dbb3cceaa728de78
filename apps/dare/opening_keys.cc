#include "opening_keys.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "envelope/keys_file.h"
#include "keyrings.h"

namespace dare::cli {

void AddOpeningKeys(CLI::App& verb, OpeningKeys& keys) {
  auto* offline = verb.add_flag("--offline", keys.offline,
                                "Without key server and configuration: the keys come from --keys");
  auto* file =
      verb.add_option("--keys", keys.file, "Exported keys (dare key export); - is standard input")
          ->type_name("FILE.json");
  offline->needs(file);
  file->needs(offline);
}

Result<Opening> StartOpening(Session& session, const OpeningKeys& keys, unsigned threads) {
  if (keys.offline) {
    if (envelope::OthersMayRead(keys.file)) {
      std::cerr << "dare: hint: others may read the keys in " << keys.file << "; chmod 600 it\n";
    }
    return Opening{TRY(envelope::ReadKeysFile(keys.file)), threads};
  }
  const client::Config* config = TRY(session.Config());
  return Opening{TRY(OpeningKeyring(session)), threads != 0 ? threads : config->threads};
}

}  // namespace dare::cli

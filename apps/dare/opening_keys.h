#pragma once

#include <string>

#include "envelope/keyring.h"
#include "session.h"

namespace dare::cli {

// Where the keys come from when something is opened: from the key servers of the configuration, or
// from a file of exported keys; then no configuration is read and nobody is asked.
struct OpeningKeys {
  bool offline = false;
  std::string file;
};

// --offline and --keys.
void AddOpeningKeys(CLI::App& verb, OpeningKeys& keys);

struct Opening {
  envelope::Keyring keys;
  unsigned threads = 0;  // as given, else as configured
};
Result<Opening> StartOpening(Session& session, const OpeningKeys& keys, unsigned threads);

}  // namespace dare::cli

#pragma once

#include <string>
#include <vector>

#include "envelope/keyring.h"
#include "session.h"

namespace dare::cli {

// A keyring that opens whatever the key servers let us open.
Result<envelope::Keyring> OpeningKeyring(Session& session);

// A keyring that wraps under each of the keys (names or ids), or under the configured default key,
// and for each recovery key: those of the configuration and the public keys in the files
// `recipients`. kInvalidArgument when there is no key.
Result<envelope::Keyring> SealingKeyring(Session& session, std::vector<std::string> keys,
                                         const std::vector<std::string>& recipients = {});

// The recovery keys alone: needs no configuration and no key server. kInvalidArgument when there is
// none.
Result<envelope::Keyring> RecipientKeyring(const std::vector<std::string>& recipients);

}  // namespace dare::cli

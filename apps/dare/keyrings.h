#pragma once

#include <string>
#include <vector>

#include "client/key_directory.h"
#include "envelope/kms_keyring.h"
#include "session.h"

namespace dare::cli {

// A keyring that opens whatever the key servers let us open.
inline Result<envelope::Keyring> OpeningKeyring(Session& session) {
  client::KmsClient* kms = TRY(session.Kms());
  return envelope::Keyring{std::make_shared<envelope::KmsKeyWrapper>(*kms)};
}

// A keyring that wraps under each of the keys (names or ids), or under the configured default key.
// kInvalidArgument when there is neither.
inline Result<envelope::Keyring> SealingKeyring(Session& session, std::vector<std::string> keys) {
  const client::Config* config = TRY(session.Config());
  if (keys.empty() && !config->default_key.empty()) keys.push_back(config->default_key);
  if (keys.empty()) {
    return Error(Code::kInvalidArgument,
                 "no key: give --key NAME, or set default_key in " + config->path);
  }
  client::KmsClient* kms = TRY(session.Kms());
  client::KeyDirectory directory(*kms);
  envelope::Keyring keyring;
  for (const std::string& key : keys) {
    keyring.push_back(std::make_shared<envelope::KmsKeyWrapper>(*kms, TRY(directory.Resolve(key))));
  }
  return keyring;
}

}  // namespace dare::cli

#include "keyrings.h"

#include <algorithm>

#include "client/key_directory.h"
#include "envelope/kms_keyring.h"
#include "envelope/recovery_key.h"

namespace dare::cli {
namespace {

using envelope::RecoveryKey;

Result<std::vector<RecoveryKey>> AllRecoveryKeys(Session& session,
                                                 const std::vector<std::string>& recipients) {
  const client::Config* config = TRY(session.Config());
  std::vector<std::string> files = config->recovery_keys;
  files.insert(files.end(), recipients.begin(), recipients.end());
  return envelope::ReadRecoveryKeys(files);
}

}  // namespace

Result<envelope::Keyring> OpeningKeyring(Session& session) {
  client::KmsClient* kms = TRY(session.Kms());
  return envelope::Keyring{std::make_shared<envelope::KmsKeyWrapper>(*kms)};
}

Result<envelope::Keyring> SealingKeyring(Session& session, std::vector<std::string> keys,
                                         const std::vector<std::string>& recipients) {
  const client::Config* config = TRY(session.Config());
  if (keys.empty() && !config->default_key.empty()) keys.push_back(config->default_key);
  if (keys.empty()) {
    return Error(Code::kInvalidArgument,
                 "no key: give --key NAME, or set default_key in " + config->path);
  }
  const std::vector<RecoveryKey> recovery = TRY(AllRecoveryKeys(session, recipients));
  client::KmsClient* kms = TRY(session.Kms());
  client::KeyDirectory directory(*kms);
  envelope::Keyring keyring;
  for (const std::string& key : keys) {
    keyring.push_back(std::make_shared<envelope::KmsKeyWrapper>(*kms, TRY(directory.Resolve(key))));
  }
  for (const RecoveryKey& key : recovery) keyring.push_back(key.wrapper);
  return keyring;
}

Result<envelope::Keyring> RecipientKeyring(const std::vector<std::string>& recipients) {
  envelope::Keyring keyring;
  for (const RecoveryKey& key : TRY(envelope::ReadRecoveryKeys(recipients)))
    keyring.push_back(key.wrapper);
  if (keyring.empty()) {
    return Error(Code::kInvalidArgument, "--offline seals for --recipient-key only; give one");
  }
  return keyring;
}

}  // namespace dare::cli

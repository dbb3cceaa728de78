#include "envelope/rewrap.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <iostream>
#include <memory>

#include "envelope/inspect.h"
#include "envelope/recovery_key.h"
#include "exit_code.h"
#include "failures.h"
#include "file_error.h"
#include "folders.h"
#include "keyrings.h"
#include "session.h"

namespace dare::cli {
namespace {

struct RewrapCommand {
  std::vector<std::string> files;
  std::vector<std::string> keys;
  std::vector<std::string> recipients;
  bool drop_recovery = false;
  bool json = false;
};

// A recovery copy can only be made anew with the recovery key's public half, so a file must not
// lose one by oversight. `kept` are the names of the recovery keys that will have one. What cannot
// be inspected is for RewrapFile to tell.
Result<void> CheckRecoveryKept(const std::string& file, const std::vector<std::string>& kept) {
  const auto found = envelope::FindOpeningKeys(file);  // also of a folder's key blocks
  if (!found) return {};
  for (const envelope::EncryptedDataKey& edk : found->keys) {
    if (edk.provider_id != envelope::kRecoveryNamespace) continue;
    const std::string name = KeyNameOf(edk);
    if (std::find(kept.begin(), kept.end(), name) != kept.end()) continue;
    return Error(Code::kInvalidArgument,
                 file +
                     ": opens with a recovery key that is not given; name its public half "
                     "with --recipient-key or recovery_keys, or say --drop-recovery (key " +
                     name.substr(0, 16) + "…)");
  }
  return {};
}

Result<envelope::RewrapSummary> RewrapOne(const std::string& file, const RewrapCommand& command,
                                          const envelope::Keyring& old_keys,
                                          const envelope::Keyring& new_keys,
                                          const std::vector<std::string>& recovery) {
  if (!command.drop_recovery) TRY(CheckRecoveryKept(file, recovery));
  return envelope::RewrapFile(file, old_keys, new_keys);
}

void Print(const std::string& file, const envelope::RewrapSummary& summary, bool json) {
  if (json) {
    std::cout << boost::json::object{{"file", file},
                                     {"block_id", summary.block_id},
                                     {"generation", summary.generation}}
              << "\n";
  } else {
    std::cout << file << ": key block " << summary.block_id << ", generation " << summary.generation
              << "\n";
  }
}

Result<void> Rewrap(Session& session, const RewrapCommand& command) {
  const envelope::Keyring old_keys = TRY(OpeningKeyring(session));
  const envelope::Keyring new_keys = TRY(SealingKeyring(session, command.keys, command.recipients));
  const std::vector<std::string> recovery = TRY(RecoveryKeyNames(session, command.recipients));
  Failures failures;  // one bad file does not keep the others from a new key
  for (const std::string& file : command.files) {
    if (Session::cancelled().load()) return IoError("cancelled", EINTR);
    const auto summary = RewrapOne(KeyBlockFileOf(file), command, old_keys, new_keys, recovery);
    if (summary) {
      Print(file, *summary, command.json);
      continue;
    }
    const Error failure = OpeningError(file, summary.error());
    failures.Add(failure);
    if (ExitCodeOf(failure.code) == kUnreachable) break;
  }
  return std::move(failures).Take();
}

}  // namespace

void AddRewrap(CLI::App& app, Session& session) {
  const auto command = std::make_shared<RewrapCommand>();
  CLI::App* verb = app.add_subcommand(
      "rewrap", "Put sealed files and folders under another key; the data is not touched");
  verb->add_option("FILE", command->files, "Sealed files and folders, changed in place")
      ->required();
  verb->add_option("-k,--key", command->keys,
                   "Name or id of the new key; several: any of them opens. Default: default_key of "
                   "the configuration")
      ->type_name("KEY")
      ->allow_extra_args(false);
  verb->add_option(
          "--recipient-key", command->recipients,
          "A public RSA key (PEM) whose private half opens the files, too; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  verb->add_flag("--drop-recovery", command->drop_recovery,
                 "Recovery keys that are not given lose their access");
  verb->add_flag("--json", command->json, "One JSON object a file");
  verb->callback([&session, command] {
    session.action = [&session, command] { return Rewrap(session, *command); };
  });
}

}  // namespace dare::cli

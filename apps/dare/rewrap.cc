#include "envelope/rewrap.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <iostream>
#include <memory>
#include <optional>

#include "exit_code.h"
#include "file_error.h"
#include "folders.h"
#include "keyrings.h"
#include "session.h"

namespace dare::cli {
namespace {

struct RewrapCommand {
  std::vector<std::string> files;
  std::vector<std::string> keys;
  bool json = false;
};

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
  const envelope::Keyring new_keys = TRY(SealingKeyring(session, command.keys));
  // One bad file does not keep the others from a new key; the first error is the program's.
  std::optional<Error> first;
  for (const std::string& file : command.files) {
    if (Session::cancelled().load()) return IoError("cancelled", EINTR);
    const auto summary = envelope::RewrapFile(KeyBlockFileOf(file), old_keys, new_keys);
    if (summary) {
      Print(file, *summary, command.json);
      continue;
    }
    if (first) PrintError(*first);
    first = OpeningError(file, summary.error());
    if (first->code == Code::kUnavailable || first->code == Code::kTimeout) break;
  }
  if (first) return *first;
  return {};
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
  verb->add_flag("--json", command->json, "One JSON object a file");
  verb->callback([&session, command] {
    session.action = [&session, command] { return Rewrap(session, *command); };
  });
}

}  // namespace dare::cli

#include <CLI/CLI.hpp>
#include <memory>

#include "folders.h"
#include "opening_keys.h"
#include "session.h"

namespace dare::cli {
namespace {

struct VerifyCommand {
  OpenFolderOptions folder;
  OpeningKeys keys;
};

Result<void> Verify(Session& session, VerifyCommand command) {
  const Opening opening = TRY(StartOpening(session, command.keys, command.folder.threads));
  command.folder.threads = opening.threads;
  return VerifyFolder(command.folder, opening.keys);
}

}  // namespace

void AddVerify(CLI::App& app, Session& session) {
  const auto command = std::make_shared<VerifyCommand>();
  CLI::App* verb = app.add_subcommand("verify", "Check every byte of a sealed folder");
  verb->add_option("DIR.dare", command->folder.in, "A sealed folder")->required();
  verb->add_option("--at-least-generation", command->folder.at_least_generation,
                   "Refuse an older state of the folder than this one, told by \"dare seal\"")
      ->type_name("N");
  verb->add_option("--threads", command->folder.threads, "Default: one for each core")
      ->type_name("N");
  verb->add_flag("--json", command->folder.json,
                 "One JSON object a line; the counts are the last one");
  AddOpeningKeys(*verb, command->keys);
  verb->callback([&session, command] {
    session.action = [&session, command] { return Verify(session, *command); };
  });
}

}  // namespace dare::cli

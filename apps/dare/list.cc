#include <CLI/CLI.hpp>
#include <memory>

#include "folders.h"
#include "opening_keys.h"
#include "session.h"

namespace dare::cli {
namespace {

struct ListCommand {
  OpenFolderOptions folder;
  OpeningKeys keys;
};

Result<void> List(Session& session, const ListCommand& command) {
  const Opening opening = TRY(StartOpening(session, command.keys, 1));
  return ListFolder(command.folder, opening.keys);
}

}  // namespace

void AddList(CLI::App& app, Session& session) {
  const auto command = std::make_shared<ListCommand>();
  CLI::App* verb = app.add_subcommand("list", "Tell what is in a sealed folder");
  verb->add_option("DIR.dare", command->folder.in, "A sealed folder")->required();
  verb->add_option("--only", command->folder.only, "This entry of it, and what is in it")
      ->type_name("PATH");
  verb->add_option("--at-least-generation", command->folder.at_least_generation,
                   "Refuse an older state of the folder than this one, told by \"dare seal\"")
      ->type_name("N");
  verb->add_flag("--json", command->folder.json,
                 "One JSON object a line, with all that is known of an entry");
  AddOpeningKeys(*verb, command->keys);
  verb->callback([&session, command] {
    session.action = [&session, command] { return List(session, *command); };
  });
}

}  // namespace dare::cli

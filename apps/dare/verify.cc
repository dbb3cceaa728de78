#include <CLI/CLI.hpp>
#include <memory>

#include "folders.h"
#include "keyrings.h"
#include "session.h"

namespace dare::cli {
namespace {

Result<void> Verify(Session& session, OpenFolderOptions options) {
  const client::Config* config = TRY(session.Config());
  if (options.threads == 0) options.threads = config->threads;
  const envelope::Keyring keys = TRY(OpeningKeyring(session));
  return VerifyFolder(options, keys);
}

}  // namespace

void AddVerify(CLI::App& app, Session& session) {
  const auto options = std::make_shared<OpenFolderOptions>();
  CLI::App* verb = app.add_subcommand("verify", "Check every byte of a sealed folder");
  verb->add_option("DIR.dare", options->in, "A sealed folder")->required();
  verb->add_option("--at-least-generation", options->at_least_generation,
                   "Refuse an older state of the folder than this one, told by \"dare seal\"")
      ->type_name("N");
  verb->add_option("--threads", options->threads, "Default: one for each core")->type_name("N");
  verb->add_flag("--json", options->json, "One JSON object a line; the counts are the last one");
  verb->callback([&session, options] {
    session.action = [&session, options] { return Verify(session, *options); };
  });
}

}  // namespace dare::cli

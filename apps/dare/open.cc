#include <CLI/CLI.hpp>
#include <memory>

#include "envelope/sealed_file.h"
#include "file_error.h"
#include "folders.h"
#include "keyrings.h"
#include "progress_bar.h"
#include "session.h"

namespace dare::cli {
namespace {

constexpr std::string_view kSuffix = ".dare";

struct OpenCommand {
  std::string in;
  std::string out;
  bool force = false;
  unsigned threads = 0;
  bool resume = false;  // these three: of folders
  bool json = false;
  std::uint64_t at_least_generation = 0;
};

Result<std::string> OutputOf(const OpenCommand& command) {
  if (!command.out.empty()) return command.out;
  if (command.in == "-") return std::string("-");
  const std::string_view in = command.in;
  if (in.size() <= kSuffix.size() || !in.ends_with(kSuffix) ||
      in[in.size() - kSuffix.size() - 1] == '/') {
    return Error(Code::kInvalidArgument,
                 command.in + " does not end with .dare; name the output with -o");
  }
  return std::string(in.substr(0, in.size() - kSuffix.size()));
}

Result<void> OpenWholeFolder(const OpenCommand& command, unsigned threads,
                             const envelope::Keyring& keys) {
  OpenFolderOptions options;
  options.in = command.in;
  options.out = command.out;
  options.threads = threads;
  options.json = command.json;
  options.force = command.force;
  options.resume = command.resume;
  options.at_least_generation = command.at_least_generation;
  return OpenFolder(options, keys);
}

Result<void> Open(Session& session, const OpenCommand& command) {
  if (IsFolder(command.in)) {
    const client::Config* config = TRY(session.Config());
    const envelope::Keyring keys = TRY(OpeningKeyring(session));
    return OpenWholeFolder(command, command.threads != 0 ? command.threads : config->threads, keys);
  }
  const std::string out = TRY(OutputOf(command));
  const client::Config* config = TRY(session.Config());
  const envelope::Keyring keys = TRY(OpeningKeyring(session));
  envelope::OpenOptions options;
  options.replace = command.force;
  options.flow.workers = command.threads != 0 ? command.threads : config->threads;
  options.flow.cancelled = &Session::cancelled();
  ProgressBar bar("opening");
  options.flow.progress = bar.Callback();
  const auto opened = envelope::OpenFile(command.in, out, keys, options);
  if (!opened) return OpeningError(command.in, opened.error());
  return {};
}

}  // namespace

void AddOpen(CLI::App& app, Session& session) {
  const auto command = std::make_shared<OpenCommand>();
  CLI::App* verb = app.add_subcommand("open", "Open a sealed file or folder");
  verb->add_option("FILE", command->in, "What to open; - is standard input")->required();
  verb->add_option("-o,--output", command->out,
                   "Where to; default FILE without .dare; - is standard output")
      ->type_name("OUT");
  verb->add_flag("-f,--force", command->force, "Write over OUT when it exists");
  verb->add_option("--threads", command->threads, "Default: one for each core")->type_name("N");
  verb->add_flag("--resume", command->resume,
                 "Of a folder: go on where opening it was interrupted");
  verb->add_option("--at-least-generation", command->at_least_generation,
                   "Of a folder: refuse an older state than this one, told by \"dare seal\"")
      ->type_name("N");
  verb->add_flag("--json", command->json,
                 "Of a folder: one JSON object a line; the counts are the last one");
  verb->callback([&session, command] {
    session.action = [&session, command] { return Open(session, *command); };
  });
}

}  // namespace dare::cli

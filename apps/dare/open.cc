#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "context_file.h"
#include "envelope/keys_file.h"
#include "envelope/sealed_file.h"
#include "file_error.h"
#include "folders.h"
#include "keyrings.h"
#include "progress_bar.h"
#include "range.h"
#include "session.h"

namespace dare::cli {
namespace {

constexpr std::string_view kSuffix = ".dare";
constexpr std::size_t kMostEdks = 65535;  // what the format has room for

struct OpenCommand {
  std::string in;
  std::string out;
  bool force = false;
  unsigned threads = 0;
  bool resume = false;  // these three: of folders
  bool json = false;
  std::uint64_t at_least_generation = 0;
  bool offline = false;
  std::string keys_file;
  bool message = false;  // a bare ESDK message
  std::string context_file;
  bool allow_uncommitted = false;
  std::size_t most_edks = envelope::MessageLimits{}.edks;
  std::optional<std::string> range;
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

Result<envelope::OpenOptions> OptionsOf(const OpenCommand& command) {
  envelope::OpenOptions options;
  options.replace = command.force;
  if (command.allow_uncommitted) {
    options.read.commitment = envelope::CommitmentPolicy::kInsecureAllow;
  }
  options.read.limits.edks = command.most_edks;
  if (!command.context_file.empty()) {
    options.read.reproduced_context = TRY(ReadContextFile(command.context_file));
  }
  if (command.range) options.range = TRY(ParseRange(*command.range));
  options.flow.workers = command.threads;
  options.flow.cancelled = &Session::cancelled();
  return options;
}

// From the file that --keys names; nobody is asked, and no configuration is read.
Result<envelope::Keyring> OfflineKeyring(const OpenCommand& command) {
  if (envelope::OthersMayRead(command.keys_file)) {
    std::cerr << "dare: hint: others may read the keys in " << command.keys_file
              << "; chmod 600 it\n";
  }
  return envelope::ReadKeysFile(command.keys_file);
}

// What is said of files and messages makes no sense for folders.
Result<void> CheckForFolder(const OpenCommand& command) {
  if (!command.message && !command.range && command.context_file.empty()) return {};
  return Error(Code::kInvalidArgument,
               command.in + " is a folder; --message, --range and --context are of files");
}

Result<void> Open(Session& session, const OpenCommand& command) {
  const bool folder = IsFolder(command.in);
  if (folder) TRY(CheckForFolder(command));
  const std::string out = folder ? command.out : TRY(OutputOf(command));
  envelope::OpenOptions options = TRY(OptionsOf(command));
  envelope::Keyring keys;
  if (command.offline) {
    keys = TRY(OfflineKeyring(command));
  } else {
    const client::Config* config = TRY(session.Config());
    if (options.flow.workers == 0) options.flow.workers = config->threads;
    keys = TRY(OpeningKeyring(session));
  }
  if (folder) return OpenWholeFolder(command, options.flow.workers, keys);
  ProgressBar bar("opening");
  options.flow.progress = bar.Callback();
  const auto opened = command.message ? envelope::OpenMessageFile(command.in, out, keys, options)
                                      : envelope::OpenFile(command.in, out, keys, options);
  if (!opened) return OpeningError(command.in, opened.error());
  return {};
}

void AddOffline(CLI::App& verb, OpenCommand& command) {
  auto* offline = verb.add_flag("--offline", command.offline,
                                "Without key server and configuration: the keys come from --keys");
  auto* keys = verb.add_option("--keys", command.keys_file,
                               "Exported keys (dare key export); - is standard input")
                   ->type_name("FILE.json");
  offline->needs(keys);
  keys->needs(offline);
  verb.add_flag("--message", command.message, "FILE is a bare message of the AWS Encryption SDK");
  verb.add_option("--context", command.context_file,
                  "A JSON object of pairs that must be in the message, or were required by its "
                  "writer without being stored")
      ->type_name("FILE");
  verb.add_option("--commitment", command.allow_uncommitted,
                  "Of messages: \"require\" (default) that they commit to their key, or \"allow\" "
                  "older ones, too")
      ->type_name("require|allow")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, bool>{{"require", false}, {"allow", true}})
              .description(""));
  verb.add_option("--max-edks", command.most_edks, "Refuse more wrapped keys than N; default 16")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, kMostEdks).description(""));
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
  verb->add_option("--range", command->range,
                   "Only so many bytes of the content from an offset on, or all from there; reads "
                   "and checks no more than that needs")
      ->type_name("OFFSET:[LENGTH]");
  AddOffline(*verb, *command);
  verb->callback([&session, command] {
    session.action = [&session, command] { return Open(session, *command); };
  });
}

}  // namespace dare::cli

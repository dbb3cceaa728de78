#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "context_file.h"
#include "envelope/sealed_file.h"
#include "file_error.h"
#include "folders.h"
#include "opening_keys.h"
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
  bool resume = false;  // these four: of folders
  bool json = false;
  std::uint64_t at_least_generation = 0;
  std::string only;
  OpeningKeys keys;
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

Result<void> OpenFromFolder(const OpenCommand& command, unsigned threads,
                            const envelope::Keyring& keys) {
  OpenFolderOptions options;
  options.in = command.in;
  options.out = command.out;
  options.threads = threads;
  options.json = command.json;
  options.force = command.force;
  options.resume = command.resume;
  options.at_least_generation = command.at_least_generation;
  options.only = command.only;
  if (command.range) options.range = TRY(ParseRange(*command.range));
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
  options.flow.cancelled = &Session::cancelled();
  return options;
}

// What is said of files and messages makes no sense for folders, nor the reverse.
Result<void> CheckKind(const OpenCommand& command, bool folder) {
  if (folder && (command.message || !command.context_file.empty())) {
    return Error(Code::kInvalidArgument,
                 command.in + " is a folder; --message and --context are of files");
  }
  if (folder && command.range && command.only.empty()) {
    return Error(Code::kInvalidArgument,
                 command.in + " is a folder; --range is of a file in it that --only names");
  }
  if (!folder && !command.only.empty()) {
    return Error(Code::kInvalidArgument, command.in + " is no folder; --only is of folders");
  }
  return {};
}

Result<void> Open(Session& session, const OpenCommand& command) {
  const bool folder = IsFolder(command.in);
  TRY(CheckKind(command, folder));
  const std::string out = folder ? command.out : TRY(OutputOf(command));
  envelope::OpenOptions options = TRY(OptionsOf(command));
  const Opening opening = TRY(StartOpening(session, command.keys, command.threads));
  options.flow.workers = opening.threads;
  if (folder) return OpenFromFolder(command, opening.threads, opening.keys);
  ProgressBar bar("opening");
  options.flow.progress = bar.Callback();
  const auto opened = command.message
                          ? envelope::OpenMessageFile(command.in, out, opening.keys, options)
                          : envelope::OpenFile(command.in, out, opening.keys, options);
  if (!opened) return OpeningError(command.in, opened.error());
  return {};
}

void AddMessages(CLI::App& verb, OpenCommand& command) {
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
  verb->add_option("--only", command->only,
                   "Of a folder: this entry alone, with what is in it; it becomes OUT, by default "
                   "its name here; of a file, - is standard output")
      ->type_name("PATH");
  verb->add_option("--range", command->range,
                   "Only so many bytes of the content from an offset on, or all from there; reads "
                   "and checks no more than that needs")
      ->type_name("OFFSET:[LENGTH]");
  AddOpeningKeys(*verb, command->keys);
  AddMessages(*verb, *command);
  verb->callback([&session, command] {
    session.action = [&session, command] { return Open(session, *command); };
  });
}

}  // namespace dare::cli

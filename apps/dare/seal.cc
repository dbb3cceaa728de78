#include <unistd.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "envelope/sealed_file.h"
#include "file_error.h"
#include "folders.h"
#include "keyrings.h"
#include "progress_bar.h"
#include "session.h"

namespace dare::cli {
namespace {

struct SealCommand {
  std::string in;
  std::string out;
  std::vector<std::string> keys;
  std::vector<std::string> recipients;
  std::vector<std::string> context;
  bool force = false;
  unsigned threads = 0;
  bool encrypt_names = false;  // these three: of folders
  bool anew = false;
  bool json = false;
  std::uint16_t suite = envelope::kSuiteWritten;
  bool message = false;  // a bare ESDK message
  bool offline = false;
};

Result<envelope::EncryptionContext> ParseContext(const std::vector<std::string>& pairs) {
  envelope::EncryptionContext context;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(Code::kInvalidArgument, "--context \"" + pair + "\" is not KEY=VALUE");
    }
    TRY(context.AddPortable(pair.substr(0, equals), pair.substr(equals + 1)));
  }
  return context;
}

Result<void> SealWholeFolder(Session& session, const SealCommand& command) {
  SealFolderOptions options;
  options.in = command.in;
  options.out = command.out;
  options.context = TRY(ParseContext(command.context));
  const client::Config* config = TRY(session.Config());
  options.threads = command.threads != 0 ? command.threads : config->threads;
  options.encrypt_names = command.encrypt_names;
  options.anew = command.anew;
  options.json = command.json;
  return SealFolder(
      options, [&] { return OpeningKeyring(session); },
      [&] { return SealingKeyring(session, command.keys, command.recipients); });
}

// What is said of files and messages makes no sense for folders, and must not be passed over.
Result<void> CheckForFolder(const SealCommand& command) {
  if (!command.message && !command.offline && command.suite == envelope::kSuiteWritten) return {};
  return Error(Code::kInvalidArgument,
               command.in + " is a folder; --message, --suite and --offline are of files");
}

Result<void> Seal(Session& session, const SealCommand& command) {
  if (IsFolder(command.in)) {
    TRY(CheckForFolder(command));
    return SealWholeFolder(session, command);
  }
  std::string out = command.out;
  if (out.empty()) out = command.in == "-" ? "-" : command.in + ".dare";
  if (out == "-" && !command.force && ::isatty(STDOUT_FILENO) == 1) {
    return Error(Code::kInvalidArgument,
                 "a sealed file is not for the terminal; name a file with -o, or use a pipe");
  }
  envelope::SealOptions options;
  options.context = TRY(ParseContext(command.context));
  options.suite = command.suite;
  options.replace = command.force;
  options.flow.workers = command.threads;
  envelope::Keyring keys;
  if (command.offline) {
    keys = TRY(RecipientKeyring(command.recipients));
  } else {
    const client::Config* config = TRY(session.Config());
    options.frame_length = config->frame_bytes;
    if (options.flow.workers == 0) options.flow.workers = config->threads;
    keys = TRY(SealingKeyring(session, command.keys, command.recipients));
  }
  options.flow.cancelled = &Session::cancelled();
  ProgressBar bar("sealing");
  options.flow.progress = bar.Callback();
  const auto sealed = command.message ? envelope::SealMessageFile(command.in, out, keys, options)
                                      : envelope::SealFile(command.in, out, keys, options);
  if (!sealed) return SealingError(sealed.error());
  return {};
}

void AddFormat(CLI::App& verb, SealCommand& command) {
  verb.add_option("--recipient-key", command.recipients,
                  "A public RSA key (PEM) whose private half opens the file, too, without a key "
                  "server; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  const std::map<std::string, std::uint16_t> suites = {
      {"0478", envelope::kSuiteWritten},
      {"0x0478", envelope::kSuiteWritten},
      {"0578", envelope::kSuiteWrittenSigned},
      {"0x0578", envelope::kSuiteWrittenSigned},
  };
  verb.add_option("--suite", command.suite, "0478 (default), or 0578, which adds a signature")
      ->type_name("ID")
      ->transform(CLI::CheckedTransformer(suites).description(""));
  verb.add_flag("--message", command.message,
                "Write a bare message of the AWS Encryption SDK; it cannot be rewrapped");
  verb.add_flag("--offline", command.offline,
                "Without key server and configuration, for --recipient-key only")
      ->excludes("--key");
}

}  // namespace

void AddSeal(CLI::App& app, Session& session) {
  const auto command = std::make_shared<SealCommand>();
  CLI::App* verb =
      app.add_subcommand("seal", "Seal a file or folder under a key of the key server");
  verb->add_option("FILE", command->in, "What to seal; - is standard input")->required();
  verb->add_option("-o,--output", command->out, "Where to; default FILE.dare; - is standard output")
      ->type_name("OUT");
  verb->add_option("-k,--key", command->keys,
                   "Name or id of the key; several: any of them opens. Default: default_key of the "
                   "configuration")
      ->type_name("KEY")
      ->allow_extra_args(false);
  verb->add_option("-c,--context", command->context,
                   "A public pair bound to the file, key of [a-z0-9-]; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_flag("-f,--force", command->force, "Write over OUT when it exists");
  verb->add_option("--threads", command->threads, "Default: one for each core")->type_name("N");
  verb->add_flag("--encrypt-names", command->encrypt_names, "Of a folder: hide the names in it");
  verb->add_flag("--anew", command->anew, "Of a folder: seal again what did not change, too");
  verb->add_flag("--json", command->json,
                 "Of a folder: one JSON object a line; the counts are the last one");
  AddFormat(*verb, *command);
  verb->callback([&session, command] {
    session.action = [&session, command] { return Seal(session, *command); };
  });
}

}  // namespace dare::cli

#include <CLI/CLI.hpp>
#include <memory>

#include "client/key_directory.h"
#include "envelope/rewrap_run.h"
#include "keyrings.h"
#include "rewrap_paths.h"
#include "rewrap_report.h"
#include "session.h"

namespace dare::cli {
namespace {

struct RewrapCommand {
  std::vector<std::string> files;
  std::string files_from;
  bool nul = false;
  bool recursive = false;
  std::vector<std::string> keys;
  std::vector<std::string> from;
  std::vector<std::string> recipients;
  bool drop_recovery = false;
  bool dry_run = false;
  bool json = false;
};

Result<std::vector<envelope::NamedKey>> KeysOf(Session& session,
                                               const std::vector<std::string>& names) {
  client::KmsClient* kms = TRY(session.Kms());
  client::KeyDirectory directory(*kms);
  std::vector<envelope::NamedKey> keys;
  for (const std::string& name : names) {
    std::string id = TRY(directory.Resolve(name));
    keys.push_back({kms->config().key_namespace, std::move(id)});
  }
  return keys;
}

Result<void> Rewrap(Session& session, const RewrapCommand& command) {
  if (command.files.empty() && command.files_from.empty()) {
    return Error(Code::kInvalidArgument, "no files: name some, or a list with --files-from");
  }
  RewrapPaths paths(command.files, command.recursive, Session::cancelled());
  if (!command.files_from.empty()) {
    TRY(paths.GoOnWith(command.files_from, command.nul ? '\0' : '\n'));
  }
  const envelope::Keyring old_keks = TRY(OpeningKeyring(session));
  const envelope::Keyring new_keks = TRY(SealingKeyring(session, command.keys, command.recipients));
  const envelope::RewrapWish wish{.old_keks = old_keks,
                                  .new_keks = new_keks,
                                  .from = TRY(KeysOf(session, command.from)),
                                  .drop_recovery = command.drop_recovery};
  const bool few = !command.recursive && command.files_from.empty();
  RewrapReportOptions told{.json = command.json, .dry_run = command.dry_run, .each = few};
  if (few) told.files = command.files.size();
  RewrapReport report(told);
  const envelope::RewrapRunResult run =
      RunRewrap([&] { return paths.Next(); }, wish,
                {.dry_run = command.dry_run, .cancelled = &Session::cancelled()}, report);
  client::KmsClient* kms = TRY(session.Kms());
  return std::move(report).Finish(run, kms->messages());
}

void AddSources(CLI::App* verb, RewrapCommand& command) {
  verb->add_option("FILE", command.files, "Sealed files and folders, changed in place");
  verb->add_option("--files-from", command.files_from,
                   "Also those named in this file, one a line; \"-\": standard input")
      ->type_name("FILE");
  verb->add_flag("-0,--null", command.nul, "The names in that file end with NUL, not newline");
  verb->add_flag("-r,--recursive", command.recursive,
                 "Everything sealed below the folders; what is not sealed is passed over");
  verb->add_option("--from", command.from,
                   "Only what this key opens (name or id); several: what any of them opens")
      ->type_name("KEY")
      ->allow_extra_args(false);
}

}  // namespace

void AddRewrap(CLI::App& app, Session& session) {
  const auto command = std::make_shared<RewrapCommand>();
  CLI::App* verb = app.add_subcommand(
      "rewrap", "Put sealed files and folders under another key; the data is not touched");
  AddSources(verb, *command);
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
  verb->add_flag("-n,--dry-run", command->dry_run, "Look and count only; nothing is changed");
  verb->add_flag("--json", command->json, "One JSON object a line; the counts are the last one");
  verb->callback([&session, command] {
    session.action = [&session, command] { return Rewrap(session, *command); };
  });
}

}  // namespace dare::cli

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <iostream>
#include <memory>

#include "base/clock.h"
#include "envelope/io.h"
#include "exit_code.h"
#include "failures.h"
#include "file_error.h"
#include "keyrings.h"
#include "secret_input.h"
#include "secrets/secret_store.h"
#include "session.h"
#include "text.h"

namespace dare::cli {
namespace {

namespace json = boost::json;
using secrets::SecretFacts;
using secrets::SecretForm;
using secrets::SecretStore;

// The options of every verb under "secret"; each verb uses its own.
struct SecretCommand {
  std::vector<std::string> names;
  std::string store;
  std::vector<std::string> keys;
  SecretForm form = SecretForm::kHex;
  std::size_t bytes = 0;  // 0: as the form has it
  bool all = false;
  bool binary = false;
  bool no_newline = false;
  bool force = false;
  bool json = false;
};

Result<SecretStore> Store(Session& session, const SecretCommand& command) {
  if (!command.store.empty()) return SecretStore(command.store);
  const client::Config* config = TRY(session.Config());
  return SecretStore(config->secrets_dir);
}

json::object ToJson(const SecretFacts& facts) {
  return {{"name", facts.name},
          {"form", secrets::FormName(facts.form)},
          {"made", TimeText(facts.made)},
          {"keys", json::array(facts.keys.begin(), facts.keys.end())}};
}

std::string KeysText(const SecretFacts& facts) {
  std::string text;
  for (const std::string& key : facts.keys) text += (text.empty() ? "" : " ") + Printable(key);
  return text;
}

SecretFacts NewFacts(const SecretCommand& command, SecretForm form) {
  return {
      .name = command.names.front(), .form = form, .made = SystemClock::Get().Now(), .keys = {}};
}

Result<void> Put(Session& session, const SecretCommand& command, SecretForm form,
                 const SecretBytes& value) {
  SecretStore store = TRY(Store(session, command));
  const envelope::Keyring keks = TRY(SealingKeyring(session, command.keys));
  const auto put = store.Put(NewFacts(command, form), value, keks, command.force);
  if (!put) return SealingError(put.error());
  return {};
}

Result<void> Create(Session& session, const SecretCommand& command) {
  const std::size_t bytes =
      command.bytes != 0 ? command.bytes : secrets::DefaultRandomBytes(command.form);
  const SecretBytes value = TRY(secrets::MakeSecret(command.form, bytes));
  return Put(session, command, command.form, value);
}

Result<WipingBytes> AskTwice() {
  WipingBytes line = TRY(ReadHiddenLine("secret: ", secrets::kMostSecretBytes));
  const WipingBytes again = TRY(ReadHiddenLine("again: ", secrets::kMostSecretBytes));
  if (!EqualInConstantTime(line, again)) {
    return Error(Code::kInvalidArgument, "these are two different secrets; nothing was kept");
  }
  return line;
}

Result<void> Import(Session& session, const SecretCommand& command) {
  TRY(secrets::CheckName(command.names.front()));  // before somebody types
  WipingBytes input = TRY(
      ::isatty(STDIN_FILENO) == 1 ? AskTwice() : ReadStandardInput(secrets::kMostSecretBytes + 1));
  if (!command.binary) {
    if (!input.empty() && input.back() == '\n') input.pop_back();
    if (std::find(input.begin(), input.end(), 0) != input.end()) {
      return Error(Code::kInvalidArgument, "the input is no text; --binary keeps it as it is");
    }
  }
  if (input.empty()) return Error(Code::kInvalidArgument, "there is no secret in the input");
  const SecretBytes value = TRY(SecretBytes::CopyOf(input));
  return Put(session, command, command.binary ? SecretForm::kBinary : SecretForm::kText, value);
}

Result<void> Show(Session& session, const SecretCommand& command) {
  if (!command.force && ::isatty(STDOUT_FILENO) == 1) {
    return Error(
        Code::kInvalidArgument,
        "a secret is not for the terminal; --force shows it, a pipe gives it to a program");
  }
  const std::string& name = command.names.front();
  const SecretStore store = TRY(Store(session, command));
  const envelope::Keyring keks = TRY(OpeningKeyring(session));
  const auto secret = store.Get(name, keks);
  if (!secret) return OpeningError("secret " + name, secret.error());
  // Not through std::cout, which would keep it.
  envelope::FdSink out(STDOUT_FILENO, "standard output", &Session::cancelled());
  TRY(out.Write(secret->value.Reveal()));
  const bool newline = !command.no_newline && secret->facts.form != SecretForm::kBinary;
  if (newline) TRY(out.Write(AsBytes("\n")));
  return {};
}

void PrintTable(const std::vector<SecretFacts>& secrets) {
  std::size_t width = 4;
  for (const SecretFacts& facts : secrets) width = std::max(width, facts.name.size());
  const auto row = [width](const std::string& name, std::string form, std::string made,
                           const std::string& keys) {
    form.resize(10, ' ');
    made.resize(20, ' ');
    std::cout << name << std::string(width - name.size(), ' ') << "  " << form << "  " << made
              << "  " << keys << "\n";
  };
  row("NAME", "FORM", "MADE", "KEYS");
  for (const SecretFacts& facts : secrets) {
    row(facts.name, std::string(secrets::FormName(facts.form)), TimeText(facts.made),
        KeysText(facts));
  }
}

Result<void> List(Session& session, const SecretCommand& command) {
  const SecretStore store = TRY(Store(session, command));
  Failures failures;
  std::vector<SecretFacts> good;
  json::array all;
  std::vector<secrets::ListedSecret> listed = TRY(store.List());
  for (secrets::ListedSecret& secret : listed) {
    if (secret.facts) {
      all.push_back(ToJson(*secret.facts));
      good.push_back(*std::move(secret.facts));
    } else {
      all.push_back(json::object{{"name", secret.name}, {"error", secret.facts.error().message}});
      failures.Add(secret.facts.error());
    }
  }
  if (command.json) {
    std::cout << all << "\n";
  } else {
    PrintTable(good);
  }
  return std::move(failures).Take();
}

Result<void> Remove(Session& session, const SecretCommand& command) {
  SecretStore store = TRY(Store(session, command));
  return store.Remove(command.names.front());
}

Result<std::vector<std::string>> NamesToRewrap(const SecretStore& store,
                                               const SecretCommand& command) {
  if (command.all != command.names.empty()) {
    return Error(Code::kInvalidArgument, "name the secrets to rewrap, or say --all");
  }
  if (!command.all) return command.names;
  std::vector<std::string> names;
  const std::vector<secrets::ListedSecret> listed = TRY(store.List());
  for (const secrets::ListedSecret& secret : listed) names.push_back(secret.name);
  return names;
}

Result<void> Rewrap(Session& session, const SecretCommand& command) {
  SecretStore store = TRY(Store(session, command));
  const std::vector<std::string> names = TRY(NamesToRewrap(store, command));
  const envelope::Keyring old_keys = TRY(OpeningKeyring(session));
  const envelope::Keyring new_keys = TRY(SealingKeyring(session, command.keys));
  Failures failures;
  for (const std::string& name : names) {
    if (Session::cancelled().load()) return envelope::Cancelled();
    const auto facts = store.Rewrap(name, old_keys, new_keys);
    if (!facts) {
      failures.Add(OpeningError("secret " + name, facts.error()));
      if (ExitCodeOf(facts.error().code) == kUnreachable) break;
    } else if (command.json) {
      std::cout << ToJson(*facts) << "\n";
    } else {
      std::cout << name << ": " << KeysText(*facts) << "\n";
    }
  }
  return std::move(failures).Take();
}

using SecretAction = Result<void> (*)(Session&, const SecretCommand&);

struct Verb {
  CLI::App* app;
  std::shared_ptr<SecretCommand> command;
};

Verb AddVerb(CLI::App& secret, Session& session, const char* name, const char* help,
             SecretAction action) {
  Verb verb{secret.add_subcommand(name, help), std::make_shared<SecretCommand>()};
  verb.app
      ->add_option("--store", verb.command->store,
                   "The folder of the secrets. Default: secrets_dir of the configuration")
      ->type_name("DIR");
  verb.app->callback([&session, action, command = verb.command] {
    session.action = [&session, action, command] { return action(session, *command); };
  });
  return verb;
}

void AddName(const Verb& verb) {
  verb.app->add_option("NAME", verb.command->names, "The name of the secret")
      ->required()
      ->expected(1);
}

void AddKeys(const Verb& verb) {
  verb.app
      ->add_option("-k,--key", verb.command->keys,
                   "Name or id of the key that wraps it; several: any of them opens. Default: "
                   "default_key of the configuration")
      ->type_name("KEY")
      ->allow_extra_args(false);
}

void AddCreate(CLI::App& secret, Session& session) {
  const Verb verb =
      AddVerb(secret, session, "create", "Make a random secret and keep it wrapped", &Create);
  AddName(verb);
  AddKeys(verb);
  const std::map<std::string, SecretForm> forms = {{"hex", SecretForm::kHex},
                                                   {"base64url", SecretForm::kBase64Url},
                                                   {"passphrase", SecretForm::kPassphrase}};
  verb.app
      ->add_option("--format", verb.command->form,
                   "hex (default), base64url, or passphrase: words that can be read aloud")
      ->type_name("FORM")
      ->transform(CLI::CheckedTransformer(forms).description(""));
  verb.app
      ->add_option("--bytes", verb.command->bytes,
                   "So many random bytes, 16 to 1024. Default: 32; of a passphrase 16")
      ->type_name("N")
      ->check(CLI::Range(secrets::kLeastRandomBytes, secrets::kMostRandomBytes).description(""));
  verb.app->add_flag("-f,--force", verb.command->force, "Take the place of one that exists");
}

void AddImport(CLI::App& secret, Session& session) {
  const Verb verb =
      AddVerb(secret, session, "import",
              "Keep a secret that standard input brings, without its last newline", &Import);
  AddName(verb);
  AddKeys(verb);
  verb.app->add_flag("--binary", verb.command->binary, "Keep every byte, the last newline too");
  verb.app->add_flag("-f,--force", verb.command->force, "Take the place of one that exists");
}

void AddShow(CLI::App& secret, Session& session) {
  const Verb verb =
      AddVerb(secret, session, "show", "Print a secret into the pipe of a program", &Show);
  AddName(verb);
  verb.app->add_flag("-n,--no-newline", verb.command->no_newline, "No newline behind it");
  verb.app->add_flag("-f,--force", verb.command->force, "Even to a terminal");
}

void AddRewrapVerb(CLI::App& secret, Session& session) {
  const Verb verb = AddVerb(secret, session, "rewrap",
                            "Put secrets under another key; they stay the same", &Rewrap);
  verb.app->add_option("NAME", verb.command->names, "Names of secrets");
  verb.app->add_flag("--all", verb.command->all, "Every secret of the folder");
  AddKeys(verb);
  verb.app->add_flag("--json", verb.command->json, "One JSON object a secret");
}

}  // namespace

void AddSecret(CLI::App& app, Session& session) {
  CLI::App* secret =
      app.add_subcommand("secret", "Keep passwords wrapped, for programs that ask for one");
  secret->require_subcommand(1);
  AddCreate(*secret, session);
  AddImport(*secret, session);
  AddShow(*secret, session);
  const Verb list = AddVerb(*secret, session, "list",
                            "The secrets of the folder; needs no key and no key server", &List);
  list.app->add_flag("--json", list.command->json, "As a JSON array");
  AddName(AddVerb(*secret, session, "remove", "Erase a secret, and with it what it alone can open",
                  &Remove));
  AddRewrapVerb(*secret, session);
}

}  // namespace dare::cli

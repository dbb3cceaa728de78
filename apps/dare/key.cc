#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <iostream>
#include <limits>
#include <memory>

#include "client/key_directory.h"
#include "key_facts.h"
#include "session.h"
#include "time_input.h"

namespace dare::cli {
namespace {

using client::KeyDirectory;
using client::KeyFacts;
using kmip::RevocationReasonCode;

// The options of every verb under "key"; each verb uses its own.
struct KeyCommand {
  std::string key;
  client::NewKeyOptions create;
  std::string rotate_every;  // a duration; empty: never
  client::Revocation revocation;
  bool compromised = false;
  std::int32_t limit = 1000;
  bool json = false;
};

Result<std::uint32_t> RotationInterval(const std::string& text) {
  const std::int64_t seconds = TRY(ParseDuration(text));
  if (seconds == 0 || seconds > std::numeric_limits<std::uint32_t>::max()) {
    return Error(Code::kInvalidArgument, "a key is rotated every 1 s to 49710 d");
  }
  return static_cast<std::uint32_t>(seconds);
}

Result<void> Create(KeyDirectory& keys, const KeyCommand& command) {
  client::NewKeyOptions options = command.create;
  if (!command.rotate_every.empty()) {
    options.rotate_every = TRY(RotationInterval(command.rotate_every));
  }
  const KeyFacts facts = TRY(keys.Create(command.key, options));
  if (command.json) {
    PrintJson(facts);
  } else {
    std::cout << facts.id << "\n";
  }
  return {};
}

Result<void> List(KeyDirectory& keys, const KeyCommand& command) {
  const std::vector<KeyFacts> all = TRY(keys.List(command.limit));
  if (command.json) {
    PrintJson(all);
  } else {
    PrintTable(all);
  }
  return {};
}

Result<void> Show(KeyDirectory& keys, const KeyCommand& command) {
  const std::string id = TRY(keys.Resolve(command.key));
  const KeyFacts facts = TRY(keys.Show(id));
  if (command.json) {
    PrintJson(facts);
  } else {
    PrintBlock(facts);
  }
  return {};
}

Result<void> Rotate(KeyDirectory& keys, const KeyCommand& command) {
  const std::string id = TRY(keys.Resolve(command.key));
  const client::Rotation rotation = TRY(keys.Rotate(id));
  if (command.json) {
    std::cout << boost::json::object{{"old", rotation.old_id}, {"new", rotation.new_id}} << "\n";
  } else {
    std::cout << "old " << rotation.old_id << "\nnew " << rotation.new_id << "\n";
  }
  return {};
}

Result<void> Activate(KeyDirectory& keys, const KeyCommand& command) {
  const std::string id = TRY(keys.Resolve(command.key));
  return keys.Activate(id);
}

Result<void> Revoke(KeyDirectory& keys, const KeyCommand& command) {
  const std::string id = TRY(keys.Resolve(command.key));
  client::Revocation revocation = command.revocation;
  if (command.compromised) revocation.reason = RevocationReasonCode::kKeyCompromise;
  return keys.Revoke(id, revocation);
}

Result<void> Destroy(KeyDirectory& keys, const KeyCommand& command) {
  const std::string id = TRY(keys.Resolve(command.key));
  return keys.Destroy(id);
}

using KeyAction = Result<void> (*)(KeyDirectory&, const KeyCommand&);

struct Verb {
  CLI::App* app;
  std::shared_ptr<KeyCommand> command;
};

Verb AddVerb(CLI::App& key, Session& session, const char* name, const char* help,
             KeyAction action) {
  Verb verb{key.add_subcommand(name, help), std::make_shared<KeyCommand>()};
  verb.app->callback([&session, action, command = verb.command] {
    session.action = [&session, action, command]() -> Result<void> {
      client::KmsClient* kms = TRY(session.Kms());
      KeyDirectory keys(*kms);
      return action(keys, *command);
    };
  });
  return verb;
}

void AddKeyOperand(const Verb& verb) {
  verb.app->add_option("KEY", verb.command->key, "Name or id")->required();
}

void AddJson(const Verb& verb, const char* help = "As a JSON object") {
  verb.app->add_flag("--json", verb.command->json, help);
}

void AddCreate(CLI::App& key, Session& session) {
  const Verb verb =
      AddVerb(key, session, "create", "Make an AES-256 key that wraps; prints its id", &Create);
  verb.app->add_option("NAME", verb.command->key, "A name no other key has")->required();
  verb.app->add_flag("--pre-active", verb.command->create.pre_active,
                     "Not usable before \"dare key activate\"");
  verb.app->add_flag("--extractable", verb.command->create.extractable,
                     "Clients may read its bytes (Get); by default they never leave the server");
  verb.app
      ->add_flag("--in-hsm", verb.command->create.in_hsm,
                 "The server's HSM makes the key, keeps it and wraps with it; it is in no memory")
      ->excludes("--extractable");
  verb.app
      ->add_option("--rotate-every", verb.command->rotate_every,
                   "The key server replaces the key by itself when it is so old: 90d, 12w, 36h")
      ->type_name("TIME");
  AddJson(verb);
}

void AddRevoke(CLI::App& key, Session& session) {
  const Verb verb = AddVerb(key, session, "revoke", "Take a key out of use for wrapping", &Revoke);
  AddKeyOperand(verb);
  const std::map<std::string, RevocationReasonCode> reasons = {
      {"unspecified", RevocationReasonCode::kUnspecified},
      {"affiliation-changed", RevocationReasonCode::kAffiliationChanged},
      {"superseded", RevocationReasonCode::kSuperseded},
      {"cessation-of-operation", RevocationReasonCode::kCessationOfOperation},
      {"privilege-withdrawn", RevocationReasonCode::kPrivilegeWithdrawn},
  };
  auto* reason = verb.app->add_option("--reason", verb.command->revocation.reason,
                                      "unspecified, affiliation-changed, superseded, "
                                      "cessation-of-operation (default) or privilege-withdrawn");
  reason->type_name("REASON")->transform(CLI::CheckedTransformer(reasons).description(""));
  verb.app
      ->add_flag("--compromised", verb.command->compromised,
                 "Somebody else may know the key: its state becomes Compromised")
      ->excludes(reason);
  verb.app->add_option("--message", verb.command->revocation.message, "For the record")
      ->type_name("TEXT");
}

}  // namespace

void AddKey(CLI::App& app, Session& session) {
  CLI::App* key = app.add_subcommand("key", "Make, show and retire the keys that wrap");
  key->require_subcommand(1);
  AddCreate(*key, session);
  const Verb list = AddVerb(*key, session, "list", "The keys this machine may see", &List);
  list.app->add_option("--limit", list.command->limit, "At most so many")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000).description(""))
      ->capture_default_str();
  AddJson(list, "As a JSON array");
  const Verb show = AddVerb(*key, session, "show", "All about one key", &Show);
  AddKeyOperand(show);
  AddJson(show);
  AddKeyOperand(AddVerb(*key, session, "activate", "Make a pre-active key usable", &Activate));
  const Verb rotate =
      AddVerb(*key, session, "rotate",
              "Make a new key that takes over the name; the old one goes on opening", &Rotate);
  AddKeyOperand(rotate);
  AddJson(rotate);
  AddRevoke(*key, session);
  AddKeyOperand(AddVerb(*key, session, "destroy",
                        "Erase a revoked key for ever, and with it what it alone can open",
                        &Destroy));
  AddKeyExport(*key, session);
}

}  // namespace dare::cli

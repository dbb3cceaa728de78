#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>

#include "administration.h"
#include "hsm_text.h"
#include "progress_bar.h"
#include "session.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

constexpr char kPath[] = "/hsm";
constexpr std::chrono::milliseconds kBetweenLooks{500};

// Options of all verbs.
struct Options {
  bool as_json = false;
  bool wait = false;
  bool destroy_old = false;
  std::string sealing;
  std::string key;
  std::string token;
};

Result<json::object> Ask(Session& session, const std::string& method, const std::string& path,
                         const json::object& body = {}) {
  return AskServer(session, method, kPath + path, body);
}

Result<void> Status(Session& session, const Options& options) {
  const json::object status = TRY(Ask(session, "GET", ""));
  if (options.as_json) {
    std::cout << status << "\n";
  } else {
    PrintKeys(status);
  }
  return {};
}

Result<void> List(Session& session, const Options& options) {
  const json::object status = TRY(Ask(session, "GET", ""));
  const json::value& tokens = status.at("tokens");
  if (options.as_json) {
    std::cout << tokens << "\n";
  } else {
    PrintTokens(status);
  }
  return {};
}

// Until the rotation that was begun is finished; with how far it is on a terminal.
Result<void> WaitForEnd(Session& session) {
  ProgressBar bar("sealing anew", Unit::kRecords);
  const envelope::Progress show = bar.Callback();
  while (!Session::cancelled().load()) {
    const json::object status = TRY(Ask(session, "GET", ""));
    const RotationProgress progress = ProgressOf(status);
    if (progress.finished) return {};
    if (show) show(progress.done, progress.of);
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return Error(Code::kUnavailable, "not waited for: the rotation goes on by itself");
}

Result<void> DestroyOld(Session& session, const Options& options) {
  const json::object destroyed = TRY(Ask(session, "DELETE", "/retired"));
  if (options.as_json) {
    std::cout << destroyed << "\n";
    return {};
  }
  for (const json::value& id : destroyed.at("destroyed").as_array()) {
    std::cout << "destroyed key " << std::string_view(id.as_string()) << "\n";
  }
  return {};
}

Result<void> Rotate(Session& session, const Options& options) {
  json::object body;
  if (!options.sealing.empty()) body["sealing"] = options.sealing;
  if (!options.key.empty()) body["key"] = options.key;
  const json::object begun = TRY(Ask(session, "POST", "/rotate", body));
  if (options.as_json) {
    std::cout << begun << "\n";
  } else {
    PrintRotation(begun);
  }
  std::cout.flush();
  if (!options.wait && !options.destroy_old) return {};
  TRY(WaitForEnd(session));
  if (!options.as_json) std::cout << "every record is sealed under the new key\n";
  if (options.destroy_old) return DestroyOld(session, options);
  return {};
}

Result<void> Add(Session& session, const Options& options) {
  const json::object added = TRY(Ask(session, "POST", "/tokens", {{"token", options.token}}));
  if (options.as_json) {
    std::cout << added << "\n";
  } else {
    std::cout << options.token << ": opens the store from now on\n";
  }
  return {};
}

Result<void> Remove(Session& session, const Options& options) {
  const json::object removed = TRY(Ask(session, "DELETE", "/tokens/" + options.token));
  if (options.as_json) {
    std::cout << removed << "\n";
  } else {
    std::cout << options.token << ": does not open the store any more\n";
  }
  return {};
}

// dare-kms beside this program, else the one in the path: with the same arguments.
Result<void> RunKms(const std::string& verb, const std::vector<std::string>& arguments) {
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const std::string beside = failure ? "" : (self.parent_path() / "dare-kms").string();
  std::vector<std::string> words = {"dare-kms", "hsm", verb};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (!beside.empty()) ::execv(beside.c_str(), argv.data());
  ::execvp("dare-kms", argv.data());
  return Error(Code::kNotFound, "dare-kms is not on this machine; \"dare hsm " + verb +
                                    "\" works on the key server's own");
}

void AddCeremony(CLI::App& noun, Session& session, const std::string& name,
                 const std::string& text) {
  CLI::App* const verb = noun.add_subcommand(name, text + " (runs dare-kms hsm " + name + ")");
  verb->fallthrough(false);  // its --config is the server's
  verb->prefix_command();
  verb->set_help_flag();
  verb->callback([&session, verb, name] {
    const std::vector<std::string> arguments = verb->remaining();
    session.action = [name, arguments] { return RunKms(name, arguments); };
  });
}

}  // namespace

void AddHsm(CLI::App& app, Session& session) {
  CLI::App* const noun = app.add_subcommand("hsm", "The key server's master keys and HSMs");
  noun->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  AddVerb(*noun, session, options, "status", "Show keys, HSMs, seals and rotation", &Status);
  AddVerb(*noun, session, options, "list", "List the HSMs", &List);
  CLI::App* const rotate =
      AddVerb(*noun, session, options, "rotate", "Seal everything under a new key", &Rotate);
  rotate->add_option("--sealing", options->sealing, "direct or root (default: as it is)")
      ->check(CLI::IsMember({"direct", "root"}));
  rotate->add_option("--key", options->key, "A key that a ceremony made ready, by its id");
  rotate->add_flag("--wait", options->wait, "Wait until every record is sealed anew");
  rotate->add_flag("--destroy-old", options->destroy_old,
                   "Wait, then destroy the keys that nothing needs any more");
  CLI::App* const add =
      AddVerb(*noun, session, options, "add", "Let an HSM of kms.toml open the store", &Add);
  add->add_option("token", options->token, "Its name in kms.toml")->required();
  CLI::App* const remove =
      AddVerb(*noun, session, options, "remove", "Take an HSM off the list", &Remove);
  remove->add_option("token", options->token, "Its name in kms.toml")->required();
  AddCeremony(*noun, session, "init", "Make master keys");
  AddCeremony(*noun, session, "check", "Try what an HSM can do");
  AddCeremony(*noun, session, "backup", "Split the key among a quorum");
  AddCeremony(*noun, session, "restore", "Bring the key back");
  AddCeremony(*noun, session, "drill", "Prove that a backup opens the store");
}

}  // namespace dare::cli

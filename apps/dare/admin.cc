// The kill switch: who is served no longer, and the seal on the whole cluster
// (docs/kill-switch.md).
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include "administration.h"
#include "session.h"
#include "text.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

constexpr std::int64_t kLongestWait = 60'000;  // milliseconds; a server asks for one second

struct Options {
  bool as_json = false;
  std::string principal;
  std::string group;
  std::string domain;
  std::string reason;
};

std::string TextOf(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return {};
  return Printable({value->get_string().data(), value->get_string().size()});
}

// The server says when it holds on every node; whoever is told that it is done may rely on it.
void AwaitForce(const json::object& done) {
  const json::value* const after = done.if_contains("in_force_everywhere_after_ms");
  if (after == nullptr || !after->is_int64()) return;
  const std::int64_t wait = std::clamp<std::int64_t>(after->get_int64(), 0, kLongestWait);
  std::this_thread::sleep_for(std::chrono::milliseconds(wait));
}

Result<void> Change(Session& session, const Options& options, const std::string& path,
                    const json::object& body, const std::string& text) {
  const json::object done = TRY(AskServer(session, "POST", path, body));
  AwaitForce(done);
  if (options.as_json) {
    std::cout << done << "\n";
  } else {
    std::cout << text << "\n";
  }
  return {};
}

json::object TargetOf(const Options& options) {
  if (!options.group.empty()) return {{"kind", "group"}, {"name", options.group}};
  if (!options.domain.empty()) return {{"kind", "domain"}, {"name", options.domain}};
  return {{"kind", "principal"}, {"name", options.principal}};
}

std::string NameOf(const Options& options) {
  if (!options.group.empty()) return "group " + options.group;
  return options.domain.empty() ? options.principal : "domain " + options.domain;
}

Result<void> LockOut(Session& session, const Options& options) {
  json::object body = TargetOf(options);
  if (!options.reason.empty()) body["reason"] = options.reason;
  return Change(session, options, "/lockouts", body,
                NameOf(options) + ": locked out, on every node");
}

Result<void> Unlock(Session& session, const Options& options) {
  return Change(session, options, "/unlock", TargetOf(options),
                NameOf(options) + ": served again, by every node");
}

Result<void> Seal(Session& session, const Options& options) {
  json::object body;
  if (!options.reason.empty()) body["reason"] = options.reason;
  return Change(session, options, "/seal", body,
                "sealed: no node does anything with a key until \"dare kms unseal\"");
}

Result<void> Unseal(Session& session, const Options& options) {
  return Change(session, options, "/unseal", {}, "unsealed");
}

void Print(const json::object& lockout, const std::string& what) {
  const json::value* const when = lockout.if_contains("when");
  std::cout << what << "  since "
            << TimeText(when != nullptr && when->is_int64() ? when->get_int64() : 0) << "  by "
            << TextOf(lockout, "by");
  if (const std::string reason = TextOf(lockout, "reason"); !reason.empty()) {
    std::cout << "  (" << reason << ")";
  }
  std::cout << "\n";
}

Result<void> List(Session& session, const Options& options) {
  const json::object answer = TRY(AskServer(session, "GET", "/lockouts"));
  if (options.as_json) {
    std::cout << answer << "\n";
    return {};
  }
  const json::value* const seal = answer.if_contains("seal");
  if (seal != nullptr && seal->is_object()) Print(seal->get_object(), "the whole cluster: sealed");
  const json::value* const lockouts = answer.if_contains("lockouts");
  if (lockouts == nullptr || !lockouts->is_array()) return {};
  for (const json::value& lockout : lockouts->get_array()) {
    if (!lockout.is_object()) continue;
    const json::object& entry = lockout.get_object();
    Print(entry, TextOf(entry, "kind") + " " + TextOf(entry, "name"));
  }
  return {};
}

void AddTarget(CLI::App& verb, const std::shared_ptr<Options>& options) {
  CLI::Option_group* const which = verb.add_option_group("who");
  which->add_option("principal", options->principal, "The name in its certificate or credential");
  which->add_option("--group", options->group, "Everybody in this group");
  which->add_option("--domain", options->domain, "Everybody in this domain of the policy");
  which->require_option(1);
}

void AddReason(CLI::App& verb, const std::shared_ptr<Options>& options) {
  verb.add_option("--reason", options->reason, "Why, for whoever looks at the list or the log");
}

}  // namespace

void AddAdmin(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* const admin = app.add_subcommand("admin", "Whom the key server serves");
  admin->require_subcommand(1);
  CLI::App* const lockout = AddVerb(*admin, session, options, "lockout",
                                    "Serve somebody no longer, on any node, from now on", &LockOut);
  AddTarget(*lockout, options);
  AddReason(*lockout, options);
  AddVerb(*admin, session, options, "lockouts", "List who is locked out", &List);
  AddTarget(*AddVerb(*admin, session, options, "unlock", "Serve somebody again", &Unlock), options);
  CLI::App* const kms = app.add_subcommand("kms", "The key server as a whole");
  kms->require_subcommand(1);
  AddReason(*AddVerb(*kms, session, options, "seal",
                     "Let no node do anything with a key, and wipe what is in memory", &Seal),
            options);
  AddVerb(*kms, session, options, "unseal", "Take the seal off", &Unseal);
}

}  // namespace dare::cli

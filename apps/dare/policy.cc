// Who may do what with which key (docs/policy.md).
#include <iostream>
#include <memory>

#include "administration.h"
#include "base/file.h"
#include "session.h"
#include "text.h"
#include "text_difference.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

constexpr char kPolicy[] = "/policy";
constexpr std::size_t kMostBytes = 256u << 10;

// Options of all verbs.
struct Options {
  bool as_json = false;
  std::string file, from, to, comment, version, base;
  std::string principal, operation, object, owner, name, group, groups, address, at;
};

// What the answer has under `key`, as a text; empty where it is not there.
std::string Text(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr) return {};
  if (!value->is_string()) return json::serialize(*value);
  return std::string(value->get_string());
}

Result<std::string> ReadPolicyFile(const std::string& file) {
  const Bytes text = TRY(ReadFile(file, kMostBytes));
  return std::string(AsText(text));
}

bool IsNumber(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

Result<json::object> Fetch(Session& session, const std::string& version) {
  const std::string path = kPolicy;
  return AskServer(session, "GET", version.empty() ? path : path + "/versions/" + version);
}

Result<void> Show(Session& session, const Options& options) {
  const json::object policy = TRY(Fetch(session, options.version));
  if (options.as_json) {
    std::cout << policy << "\n";
    return {};
  }
  if (Text(policy, "version") == "0") {
    std::cerr << "dare: hint: no policy is in force: owners and administrators are all there is\n";
  }
  std::cout << Text(policy, "text");
  return {};
}

// The text, and the error with the name that the person knows.
Error InFile(Error error, const std::string& file) {
  if (error.code == Code::kInvalidArgument && error.message.starts_with("policy:")) {
    error.message = file + error.message.substr(std::string_view("policy").size());
  }
  return error;
}

Result<void> Check(Session& session, const Options& options) {
  const std::string text = TRY(ReadPolicyFile(options.file));
  const auto checked =
      AskServer(session, "POST", std::string(kPolicy) + "/check", {{"text", text}});
  if (!checked) return InFile(checked.error(), options.file);
  if (options.as_json) {
    std::cout << *checked << "\n";
  } else {
    std::cout << options.file << ": good: " << Text(*checked, "domains") << " domains, "
              << Text(*checked, "grants") << " grants\n";
  }
  return {};
}

Result<void> Apply(Session& session, const Options& options) {
  if (options.file.empty() == options.version.empty()) {
    return Error(Code::kInvalidArgument, "give a file, or --version with an earlier one");
  }
  std::string text;
  if (options.version.empty()) {
    text = TRY(ReadPolicyFile(options.file));
  } else {
    const json::object earlier = TRY(Fetch(session, options.version));
    text = Text(earlier, "text");
  }
  std::string base = options.base;
  if (base.empty()) {
    const json::object in_force = TRY(Fetch(session, ""));
    base = Text(in_force, "version");
  }
  const auto applied = AskServer(session, "POST", kPolicy,
                                 {{"text", text}, {"comment", options.comment}, {"base", base}});
  if (!applied) return InFile(applied.error(), options.file);
  if (options.as_json) {
    std::cout << *applied << "\n";
  } else {
    std::cout << "policy version " << Text(*applied, "version") << " is in force\n";
  }
  return {};
}

Result<void> History(Session& session, const Options& options) {
  const json::object history = TRY(AskServer(session, "GET", std::string(kPolicy) + "/versions"));
  if (options.as_json) {
    std::cout << history << "\n";
    return {};
  }
  const json::value* const versions = history.if_contains("versions");
  if (versions == nullptr || !versions->is_array()) {
    return Error(Code::kMalformed, "the server's answer has no versions");
  }
  for (const json::value& value : versions->get_array()) {
    if (!value.is_object()) continue;
    const json::object& version = value.get_object();
    const json::value* const when = version.if_contains("when");
    std::cout << Text(version, "version") << "  "
              << (when != nullptr && when->is_int64() ? TimeText(when->get_int64()) : "") << "  "
              << Printable(Text(version, "who"));
    const std::string comment = Printable(Text(version, "comment"));
    std::cout << (comment.empty() ? "" : "  " + comment) << "\n";
  }
  return {};
}

// A version by its number, a file by its name.
Result<std::string> Side(Session& session, const std::string& which) {
  if (!which.empty() && !IsNumber(which)) return ReadPolicyFile(which);
  const json::object policy = TRY(Fetch(session, which));
  return Text(policy, "text");
}

Result<void> Diff(Session& session, const Options& options) {
  // With one side, what would change: from what is in force to it.
  const bool one = options.to.empty();
  const std::string before = TRY(Side(session, one ? "" : options.from));
  const std::string after = TRY(Side(session, one ? options.from : options.to));
  std::cout << TextDifference(before, after);
  return {};
}

void PrintExplanation(const json::object& answer) {
  const bool allowed = Text(answer, "allowed") == "true";
  std::cout << (allowed ? "allowed: " : "denied: ") << Printable(Text(answer, "rule")) << "\n";
  for (const auto& [key, title] :
       {std::pair("nearest", "nearest: "), std::pair("domain", "domain: "),
        std::pair("state", "state: "), std::pair("approval", "approval: "),
        std::pair("answer", "answer: ")}) {
    const std::string text = Printable(Text(answer, key));
    if (text.empty()) continue;
    std::cout << title << text;
    if (std::string_view(key) == "nearest") std::cout << ", " << Text(answer, "missing");
    std::cout << "\n";
  }
  for (const char* key : {"roles", "groups"}) {
    const json::value* const list = answer.if_contains(key);
    if (list == nullptr || !list->is_array()) continue;
    std::cout << key << ":";
    for (const json::value& item : list->get_array()) {
      if (item.is_string()) std::cout << " " << Printable(std::string(item.get_string()));
    }
    std::cout << (list->get_array().empty() ? " none\n" : "\n");
  }
}

Result<void> Explain(Session& session, const Options& options) {
  json::object body{{"principal", options.principal}, {"operation", options.operation}};
  for (const auto& [key, value] :
       {std::pair("object", &options.object), std::pair("owner", &options.owner),
        std::pair("name", &options.name), std::pair("group", &options.group),
        std::pair("certificate_groups", &options.groups), std::pair("address", &options.address),
        std::pair("at", &options.at)}) {
    if (!value->empty()) body[key] = *value;
  }
  const json::object answer = TRY(AskServer(session, "POST", "/explain", body));
  if (options.as_json) {
    std::cout << answer << "\n";
  } else {
    PrintExplanation(answer);
  }
  return {};
}

void AddVersions(CLI::App& admin, Session& session, const std::shared_ptr<Options>& options) {
  CLI::App* const noun = admin.add_subcommand("policy", "Who may do what with which key");
  noun->require_subcommand(1);
  CLI::App* const show = AddVerb(*noun, session, options, "show", "Print the policy", &Show);
  show->add_option("--version", options->version, "An earlier one")->check(CLI::Number);
  CLI::App* const check =
      AddVerb(*noun, session, options, "check", "Say what is wrong with a file", &Check);
  check->add_option("file", options->file, "The policy")->required()->type_name("FILE");
  CLI::App* const apply =
      AddVerb(*noun, session, options, "apply", "Bring a policy into force", &Apply);
  apply->add_option("file", options->file, "The policy")->type_name("FILE");
  apply->add_option("--version", options->version, "An earlier version in place of a file")
      ->check(CLI::Number);
  apply->add_option("--comment", options->comment, "Why, for the history");
  apply->add_option("--base", options->base, "Only where this version is in force")
      ->check(CLI::Number);
  AddVerb(*noun, session, options, "history", "List the versions", &History);
  CLI::App* const diff = noun->add_subcommand("diff", "Show what differs");
  diff->callback([&session, options] {
    session.action = [&session, options] { return Diff(session, *options); };
  });
  diff->add_option("from", options->from, "A version or a file")->required();
  diff->add_option("to", options->to, "Another; without it, from what is in force to the first");
}

}  // namespace

void AddPolicy(CLI::App& app, Session& session) {
  CLI::App* const admin = app.get_subcommand("admin");
  admin->description("Whom the key server serves, and who may do what");
  const auto options = std::make_shared<Options>();
  AddVersions(*admin, session, options);
  CLI::App* const explain = AddVerb(*admin, session, options, "explain",
                                    "Say what the policy decides, and why", &Explain);
  explain->add_option("principal", options->principal, "Who would ask")->required();
  explain->add_option("operation", options->operation, "What for, like Get")->required();
  explain->add_option("object", options->object, "Unique Identifier of a stored object");
  explain->add_option("--owner", options->owner, "Of an object that is not stored");
  explain->add_option("--name", options->name, "Its Name");
  explain->add_option("--group", options->group, "Its Object Group");
  explain->add_option("--certificate-groups", options->groups,
                      "Groups in the principal's certificate, with commas between");
  explain->add_option("--address", options->address, "From where");
  explain->add_option("--at", options->at, "When, like 2027-01-31T12:00:00Z (default: now)");
}

}  // namespace dare::cli

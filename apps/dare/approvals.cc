// Dual control: what waits for the approval of others (docs/dual-control.md).
#include <iostream>
#include <memory>

#include "administration.h"
#include "session.h"
#include "text.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

constexpr char kApprovals[] = "/approvals";

struct Options {
  bool as_json = false;
  std::string id, reason;
};

std::string Text(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) return json::serialize(*value);
  return Printable(std::string(value->get_string()));
}

std::string Time(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? TimeText(value->get_int64()) : "";
}

std::string Names(const json::object& object, std::string_view key) {
  const json::value* const list = object.if_contains(key);
  std::string names;
  if (list == nullptr || !list->is_array()) return names;
  for (const json::value& item : list->get_array()) {
    if (item.is_string()) {
      names += (names.empty() ? "" : ", ") + Printable(std::string(item.get_string()));
    }
  }
  return names;
}

std::string What(const json::object& entry) {
  std::string what = Text(entry, "act");
  if (const std::string subject = Text(entry, "subject"); !subject.empty()) what += " " + subject;
  if (const std::string how = Text(entry, "how"); !how.empty()) what += ", " + how;
  return what;
}

void PrintRequest(const json::object& request) {
  std::cout << Text(request, "id") << "  " << Text(request, "standing") << "  " << What(request)
            << "\n";
  std::cout << "    asked by " << Text(request, "requester") << " at " << Time(request, "asked")
            << ", until " << Time(request, "expires") << "\n";
  if (const std::string note = Text(request, "note"); !note.empty()) {
    std::cout << "    " << note << "\n";
  }
  std::cout << "    " << Text(request, "rule");
  if (const std::string demand = Text(request, "demand"); !demand.empty()) {
    std::cout << ": " << demand << "; has " << Text(request, "counted");
  }
  if (const std::string names = Names(request, "approved_by"); !names.empty()) {
    std::cout << "; approved by " << names;
  }
  if (const std::string names = Names(request, "refused_by"); !names.empty()) {
    std::cout << "; refused by " << names;
  }
  std::cout << "\n";
  const json::value* const emergency = request.if_contains("emergency");
  if (emergency != nullptr && emergency->is_object()) {
    std::cout << "    EMERGENCY: let pass by " << Text(emergency->get_object(), "by") << ": "
              << Text(emergency->get_object(), "reason") << "\n";
  }
}

void PrintEmergency(const json::object& emergency) {
  const std::string used = Time(emergency, "used");
  std::cout << Text(emergency, "id") << "  EMERGENCY  " << What(emergency) << "\n"
            << "    let pass by " << Text(emergency, "by") << " at " << Time(emergency, "when")
            << " for " << Text(emergency, "requester") << ": " << Text(emergency, "reason") << "\n"
            << "    " << (used.empty() ? "not done" : "done at " + used)
            << "; to be acknowledged by somebody else\n";
}

template <typename Print>
void ForEach(const json::object& answer, std::string_view key, Print print) {
  const json::value* const list = answer.if_contains(key);
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& item : list->get_array()) {
    if (item.is_object()) print(item.get_object());
  }
}

Result<void> List(Session& session, const Options& options) {
  const std::string path = kApprovals;
  const json::object answer =
      TRY(AskServer(session, "GET", options.id.empty() ? path : path + "/" + options.id));
  if (options.as_json) {
    std::cout << answer << "\n";
    return {};
  }
  if (options.id.empty()) {
    ForEach(answer, "emergencies", PrintEmergency);
    ForEach(answer, "requests", PrintRequest);
    return {};
  }
  PrintRequest(answer);
  const json::value* const text = answer.if_contains("text");
  if (text != nullptr && text->is_string() && !text->get_string().empty()) {
    std::cout << "\n" << std::string_view(text->get_string());
  }
  return {};
}

Result<void> Act(Session& session, const Options& options, const std::string& verb,
                 const std::string& done) {
  json::object body{{"id", options.id}};
  if (!options.reason.empty()) body["reason"] = options.reason;
  const json::object answer = TRY(AskServer(session, "POST", kApprovals + ("/" + verb), body));
  if (options.as_json) {
    std::cout << answer << "\n";
    return {};
  }
  const std::string standing = Text(answer, "standing");
  std::cout << options.id << ": " << done << (standing.empty() ? "" : "; it is " + standing)
            << "\n";
  return {};
}

Result<void> Approve(Session& session, const Options& options) {
  return Act(session, options, "approve", "you approved it");
}

Result<void> Refuse(Session& session, const Options& options) {
  return Act(session, options, "refuse", "you refused it");
}

Result<void> LetPass(Session& session, const Options& options) {
  return Act(session, options, "emergency", "you let it pass, which is logged and listed");
}

Result<void> Acknowledge(Session& session, const Options& options) {
  return Act(session, options, "acknowledge", "acknowledged");
}

CLI::App* AddOne(CLI::App& admin, Session& session, const std::shared_ptr<Options>& options,
                 const std::string& name, const std::string& text,
                 Result<void> (*act)(Session&, const Options&)) {
  CLI::App* const verb = AddVerb(admin, session, options, name, text, act);
  // It becomes a part of a path and of lines in logs.
  verb->add_option("id", options->id, "Of the request")
      ->required()
      ->check([](const std::string& id) {
        const bool good = id.find_first_not_of("0123456789abcdef") == std::string::npos;
        return good ? std::string() : std::string("a request's id is hexadecimal");
      });
  return verb;
}

}  // namespace

void AddApprovals(CLI::App& app, Session& session) {
  CLI::App* const admin = app.get_subcommand("admin");
  const auto options = std::make_shared<Options>();
  AddOne(*admin, session, options, "approvals", "List what waits for approval, or show one", &List)
      ->get_option("id")
      ->required(false);
  AddOne(*admin, session, options, "approve", "Agree to a request of somebody else", &Approve);
  CLI::App* const refuse =
      AddOne(*admin, session, options, "refuse", "Refuse a request of somebody else", &Refuse);
  refuse->add_option("--reason", options->reason, "Why, for the audit log");
  CLI::App* const emergency = AddOne(*admin, session, options, "emergency",
                                     "Let a request pass without the others, loudly", &LetPass);
  emergency->add_option("--reason", options->reason, "Why")->required();
  AddOne(*admin, session, options, "acknowledge", "Take note of somebody else's emergency",
         &Acknowledge);
}

}  // namespace dare::cli

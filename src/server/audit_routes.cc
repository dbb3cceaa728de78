#include "server/audit_routes.h"

#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "server/json_body.h"

namespace dare::server {
namespace {

namespace json = boost::json;

constexpr std::string_view kEntries = "/admin/v1/audit/entries";
constexpr std::string_view kCheckpoints = "/admin/v1/audit/checkpoints";
constexpr std::string_view kKey = "/admin/v1/audit/key";
constexpr std::string_view kPrunings = "/admin/v1/audit/prunings";
constexpr std::string_view kPrune = "/admin/v1/audit/prune";

// What was asked for, for the log itself.
std::string Described(const AuditQuestion& question) {
  std::string text;
  for (const auto& [name, value] :
       {std::pair("from ", &question.from), std::pair("last ", &question.last),
        std::pair("principal ", &question.principal), std::pair("object ", &question.object),
        std::pair("operation ", &question.operation), std::pair("decision ", &question.decision),
        std::pair("request ", &question.request), std::pair("since ", &question.since),
        std::pair("until ", &question.until)}) {
    if (!value->empty()) text.append(text.empty() ? "" : ", ").append(name).append(*value);
  }
  return text.empty() ? "all of it" : text;
}

Result<std::string> Entries(const HttpRequest& request, AdminEvent& event, AuditOffice& office) {
  const json::object body =
      TRY(ReadJsonBody(request, {"from", "last", "principal", "object", "operation", "decision",
                                 "request", "since", "until", "reading"}));
  AuditQuestion question;
  for (const auto& [name, value] :
       {std::pair("from", &question.from), std::pair("last", &question.last),
        std::pair("principal", &question.principal), std::pair("object", &question.object),
        std::pair("operation", &question.operation), std::pair("decision", &question.decision),
        std::pair("request", &question.request), std::pair("since", &question.since),
        std::pair("until", &question.until), std::pair("reading", &question.reading)}) {
    *value = TextOf(body, name);
  }
  event.detail = Described(question);
  AuditAnswer answer = TRY(office.Entries(question, event.peer));
  event.mere_look = answer.continues;
  return std::move(answer.text);
}

Result<std::string> Checkpoints(const HttpRequest& request, AdminEvent& event,
                                AuditOffice& office) {
  const json::object body = TRY(ReadJsonBody(request, {"offset", "node"}));
  event.mere_look = true;
  const std::string node = TextOf(body, "node");
  if (!node.empty()) return office.Witnessed(node, TextOf(body, "offset"), event.peer);
  return office.Checkpoints(TextOf(body, "offset"), event.peer);
}

Result<std::string> Prune(const HttpRequest& request, AdminEvent& event, AuditOffice& office,
                          const PruningPermit& permit) {
  const json::object body = TRY(ReadJsonBody(request, {"before", "keep_seconds"}));
  const PruneRequest what{TextOf(body, "before"), TextOf(body, "keep_seconds")};
  event.detail =
      what.before.empty() ? "keep " + what.keep_seconds + " seconds" : "before " + what.before;
  if (permit) TRY(permit(event.detail, event.peer));
  return office.Prune(what, event.peer);
}

// The office knows the rules for this, whatever else an administrator may.
bool IsPermitted(AdminEvent& event, AuditOffice& office) {
  const std::string rule = office.MayRead(event.peer);
  event.permitted = !rule.empty();
  if (event.permitted) event.rule = rule + (event.peer.person ? ", by token" : "");
  return event.permitted;
}

}  // namespace

std::optional<Result<std::string>> ServeAudit(const HttpRequest& request, AdminEvent& event,
                                              AuditOffice& office, const PruningPermit& permit) {
  const bool get = request.method == "GET", post = request.method == "POST";
  if (post && request.path == kEntries) {
    event.operation = "read audit log";
    return IsPermitted(event, office) ? Entries(request, event, office) : std::string();
  }
  if (post && request.path == kCheckpoints) {
    event.operation = "read checkpoints";
    return IsPermitted(event, office) ? Checkpoints(request, event, office) : std::string();
  }
  if (get && request.path == kKey) {
    event.operation = "read audit key";
    event.mere_look = true;
    return IsPermitted(event, office) ? office.Key() : std::string();
  }
  if (get && request.path == kPrunings) {
    event.operation = "read prunings";
    event.mere_look = true;
    return IsPermitted(event, office) ? office.Prunings(event.peer) : std::string();
  }
  // Not for auditors: they change nothing.
  if (post && request.path == kPrune) {
    event.operation = "prune audit log";
    return event.permitted ? Prune(request, event, office, permit) : std::string();
  }
  return std::nullopt;
}

}  // namespace dare::server

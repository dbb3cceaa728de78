#include "server/approval_routes.h"

#include <boost/json.hpp>

#include "server/json_body.h"

namespace dare::server {
namespace {

namespace json = boost::json;

constexpr std::string_view kApprovals = "/admin/v1/approvals";
constexpr std::string_view kOne = "/admin/v1/approvals/";

// What can be done with one request.
enum class Verb { kApprove, kRefuse, kLetPass, kAcknowledge };
struct Route {
  std::string_view path, operation;
  Verb verb;
};
constexpr Route kRoutes[] = {
    {"/admin/v1/approvals/approve", "approve request", Verb::kApprove},
    {"/admin/v1/approvals/refuse", "refuse request", Verb::kRefuse},
    {"/admin/v1/approvals/emergency", "emergency: let request pass", Verb::kLetPass},
    {"/admin/v1/approvals/acknowledge", "acknowledge emergency", Verb::kAcknowledge},
};

Result<std::string> Do(const Route& route, const HttpRequest& request, AdminEvent& event,
                       ApprovalOffice& office) {
  const json::object body = TRY(ReadJsonBody(request, {"id", "reason"}));
  const std::string id = TextOf(body, "id"), reason = TextOf(body, "reason");
  if (id.empty()) return Error(Code::kInvalidArgument, "member 'id' is missing");
  event.subject = id;
  event.detail = reason;
  switch (route.verb) {
    case Verb::kApprove:
      return office.Approve(id, event.peer);
    case Verb::kRefuse:
      return office.Refuse(id, event.peer);
    case Verb::kLetPass:
      return office.LetPass(id, reason, event.peer);
    case Verb::kAcknowledge:
      break;
  }
  return office.Acknowledge(id, event.peer);
}

}  // namespace

bool ConcernsApprovals(std::string_view path) {
  return path == kApprovals || path.starts_with(kOne);
}

std::optional<Result<std::string>> ServeApprovals(const HttpRequest& request, AdminEvent& event,
                                                  ApprovalOffice& office) {
  if (!ConcernsApprovals(request.path)) return std::nullopt;
  event.rule = "approval";
  if (request.method == "GET") {
    event.operation = "list approvals";
    event.mere_look = true;
    if (!event.permitted) return std::string();
    if (request.path == kApprovals) return office.List(event.peer);
    event.subject = request.path.substr(kOne.size());
    return office.Show(event.subject, event.peer);
  }
  for (const Route& route : kRoutes) {
    if (request.method != "POST" || request.path != route.path) continue;
    event.operation = route.operation;
    return event.permitted ? Do(route, request, event, office) : std::string();
  }
  return std::nullopt;
}

}  // namespace dare::server

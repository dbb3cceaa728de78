#include "server/admin.h"

#include <boost/json.hpp>

#include "base/log.h"
#include "server/approval_routes.h"
#include "server/audit_routes.h"
#include "server/json_body.h"
#include "server/policy_routes.h"

namespace dare::server {
namespace {

namespace json = boost::json;

constexpr std::string_view kHsm = "/admin/v1/hsm";
constexpr std::string_view kRotate = "/admin/v1/hsm/rotate";
constexpr std::string_view kRetired = "/admin/v1/hsm/retired";
constexpr std::string_view kTokens = "/admin/v1/hsm/tokens";
constexpr std::string_view kLockouts = "/admin/v1/lockouts";
constexpr std::string_view kUnlock = "/admin/v1/unlock";
constexpr std::string_view kSeal = "/admin/v1/seal";
constexpr std::string_view kUnseal = "/admin/v1/unseal";
constexpr std::string_view kCheckPolicy = "/admin/v1/policy/check";
constexpr std::string_view kExplain = "/admin/v1/explain";

int StatusOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kMalformed:
      return 400;
    case Code::kTooLarge:
      return 413;
    case Code::kDenied:
    case Code::kRejected:
      return 403;
    case Code::kUnauthenticated:
      return 403;  // an HSM refused a PIN; the client is who it says
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
    case Code::kConflict:
      return 409;
    case Code::kUnsupported:
      return 501;
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kExhausted:
      return 503;
    case Code::kDamaged:
    case Code::kIo:
    case Code::kInternal:
      return 500;
  }
  return 500;
}

Result<LockoutOffice::Target> ReadTarget(const json::object& body) {
  LockoutOffice::Target target{TextOf(body, "kind"), TextOf(body, "name")};
  if (target.name.empty()) return Error(Code::kInvalidArgument, "member 'name' is missing");
  return target;
}

// What an approval of it is good for.
std::string How(const KeyOffice::Rotation& rotation) {
  std::string how = "sealing " + (rotation.sealing.empty() ? "as it is" : rotation.sealing);
  if (!rotation.prepared.empty()) how += ", key " + rotation.prepared;
  return how;
}

Error NoSuchRoute(const HttpRequest& request) {
  return Error(Code::kNotFound, request.method + " " + request.path + " is no route");
}

bool RoleMay(policy::Role role, const HttpRequest& request) {
  const bool get = request.method == "GET", post = request.method == "POST";
  const std::string_view path = request.path;
  switch (role) {
    case policy::Role::kAuditor:  // whatever changes nothing
      return get || (post && (path == kCheckPolicy || path == kExplain));
    case policy::Role::kOperator:
      return (get && (path == kHsm || path == kLockouts)) || (post && path == kSeal);
    case policy::Role::kAdministrator:
    case policy::Role::kCustodian:
    case policy::Role::kClient:
      break;
  }
  return false;
}

}  // namespace

HttpResponse RefusalInJson(int status, std::string_view code, const std::string& message) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = json::serialize(json::object{{"error", message}, {"code", code}}) + "\n";
  return response;
}

HttpResponse AnswerInJson(const Result<std::string>& done) {
  if (!done) {
    return RefusalInJson(StatusOf(done.error().code), CodeName(done.error().code),
                         done.error().message);
  }
  HttpResponse response;
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = *done + "\n";
  return response;
}

Result<std::string> AdminRoutes::Do(const HttpRequest& request, AdminEvent& event) {
  const bool get = request.method == "GET", post = request.method == "POST";
  if (request.path == kHsm && get) {
    event.operation = "key status";
    event.mere_look = true;
    if (!event.permitted) return std::string();
    return office_.Status();
  }
  if (request.path == kRotate && post) {
    event.operation = "rotate master key";
    if (!event.permitted) return std::string();
    const json::object body = TRY(ReadJsonBody(request, {"sealing", "key"}));
    const KeyOffice::Rotation rotation{TextOf(body, "sealing"), TextOf(body, "key")};
    event.detail = rotation.sealing;
    if (approvals_ != nullptr) {
      TRY(approvals_->Permit("RotateMasterKey", How(rotation), event.peer));
    }
    return office_.Rotate(rotation);
  }
  if (request.path == kRetired && request.method == "DELETE") {
    event.operation = "destroy retired keys";
    if (!event.permitted) return std::string();
    return office_.DestroyRetired();
  }
  if (request.path == kTokens && post) {
    event.operation = "add token";
    if (!event.permitted) return std::string();
    const json::object body = TRY(ReadJsonBody(request, {"token"}));
    event.subject = TextOf(body, "token");
    if (event.subject.empty()) return Error(Code::kInvalidArgument, "member 'token' is missing");
    return office_.AddToken(event.subject);
  }
  const std::string token_path = std::string(kTokens) + "/";
  if (request.method == "DELETE" && request.path.starts_with(token_path)) {
    event.operation = "remove token";
    event.subject = request.path.substr(token_path.size());
    if (!event.permitted) return std::string();
    return office_.RemoveToken(event.subject);
  }
  if (auto done = DoLockouts(request, event)) return *std::move(done);
  if (policy_ != nullptr) {
    if (auto done = ServePolicy(request, event, *policy_)) return *std::move(done);
  }
  if (approvals_ != nullptr) {
    if (auto done = ServeApprovals(request, event, *approvals_)) return *std::move(done);
  }
  if (audit_ != nullptr) {
    PruningPermit permit;
    if (approvals_ != nullptr) {
      permit = [this](const std::string& how, const Peer& who) {
        return approvals_->Permit("PruneAudit", how, who);
      };
    }
    if (auto done = ServeAudit(request, event, *audit_, permit)) return *std::move(done);
  }
  event.operation = "administration";
  return NoSuchRoute(request);
}

// Nothing for a request that is about something else.
std::optional<Result<std::string>> AdminRoutes::DoLockouts(const HttpRequest& request,
                                                           AdminEvent& event) {
  const auto act = [&](std::string_view operation, auto what) -> Result<std::string> {
    event.operation = operation;
    if (!event.permitted) return std::string();
    return what();
  };
  if (request.path == kLockouts && request.method == "GET") {
    event.mere_look = true;
    return act("list lockouts", [&] { return lockouts_.Lockouts(); });
  }
  if (request.method != "POST") return std::nullopt;
  if (request.path == kLockouts) {
    return act("lock out", [&]() -> Result<std::string> {
      const json::object body = TRY(ReadJsonBody(request, {"kind", "name", "reason"}));
      const LockoutOffice::Target target = TRY(ReadTarget(body));
      event.subject = target.name;
      event.detail = target.kind + "; " + TextOf(body, "reason");
      return lockouts_.LockOut(target, TextOf(body, "reason"), event.peer);
    });
  }
  if (request.path == kUnlock) {
    return act("unlock", [&]() -> Result<std::string> {
      const json::object body = TRY(ReadJsonBody(request, {"kind", "name"}));
      const LockoutOffice::Target target = TRY(ReadTarget(body));
      event.subject = target.name;
      event.detail = target.kind;
      return lockouts_.Unlock(target);
    });
  }
  if (request.path == kSeal) {
    return act("seal", [&]() -> Result<std::string> {
      const json::object body = TRY(ReadJsonBody(request, {"reason"}));
      event.detail = TextOf(body, "reason");
      return lockouts_.Seal(event.detail, event.peer);
    });
  }
  if (request.path == kUnseal) return act("unseal", [&] { return lockouts_.Unseal(); });
  return std::nullopt;
}

HttpResponse AdminRoutes::Serve(const HttpRequest& request, const Caller& caller) {
  if (!request.path.starts_with(kAdminPrefix)) return next_.Serve(request, caller);
  AdminEvent event;
  event.peer = *caller.peer;
  event.permitted = caller.peer->authenticated() && options_.is_administrator(*caller.peer);
  if (approvals_ != nullptr && ConcernsApprovals(request.path) && options_.is_served) {
    event.permitted = caller.peer->authenticated() && options_.is_served(*caller.peer);
  }
  if (!event.permitted && caller.peer->authenticated() && options_.role_of) {
    const std::optional<policy::Role> role = options_.role_of(*caller.peer);
    event.permitted = role && RoleMay(*role, request);
    if (event.permitted) event.rule = policy::RoleName(*role);
  }
  const Result<std::string> done = Do(request, event);
  if (caller.peer->person) event.rule += ", by token";
  if (!done) event.failure = done.error();
  return Answer(std::move(event), done);
}

HttpResponse AdminRoutes::Answer(AdminEvent event, const Result<std::string>& done) {
  const bool unrecorded = event.mere_look && event.permitted && done;
  if (!unrecorded && options_.observer) {
    if (const Result<void> recorded = options_.observer(event); !recorded) {
      log::Failure("an administrator's request was not audited: " + recorded.error().message);
      return RefusalInJson(503, "unavailable", "the request could not be recorded");
    }
  }
  if (!event.permitted) {
    return RefusalInJson(403, "denied", "this needs the administrator role");
  }
  return AnswerInJson(done);
}

}  // namespace dare::server

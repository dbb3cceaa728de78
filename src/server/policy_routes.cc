#include "server/policy_routes.h"

#include <boost/json.hpp>
#include <charconv>
#include <string_view>

#include "server/json_body.h"

namespace dare::server {
namespace {

namespace json = boost::json;

constexpr std::string_view kPolicy = "/admin/v1/policy";
constexpr std::string_view kCheck = "/admin/v1/policy/check";
constexpr std::string_view kVersions = "/admin/v1/policy/versions";
constexpr std::string_view kExplain = "/admin/v1/explain";

Result<std::uint64_t> NumberIn(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, number);
  if (text.empty() || failure != std::errc() || stopped != end) {
    return Error(Code::kInvalidArgument, "a version is a number");
  }
  return number;
}

Result<std::string> Check(const HttpRequest& request, PolicyOffice& office) {
  const json::object body = TRY(ReadJsonBody(request, {"text"}));
  return office.Check(TextOf(body, "text"));
}

Result<std::string> Apply(const HttpRequest& request, AdminEvent& event, PolicyOffice& office) {
  const json::object body = TRY(ReadJsonBody(request, {"text", "comment", "base"}));
  const std::uint64_t base = TRY(NumberIn(TextOf(body, "base")));
  const std::string comment = TextOf(body, "comment");
  event.subject = "made from version " + std::to_string(base);
  event.detail = comment;
  return office.Apply(TextOf(body, "text"), comment, base, event.peer.common_name);
}

Result<std::string> Explain(const HttpRequest& request, AdminEvent& event, PolicyOffice& office) {
  const json::object body =
      TRY(ReadJsonBody(request, {"principal", "certificate_groups", "operation", "object", "owner",
                                 "name", "group", "address", "at"}));
  PolicyQuestion question;
  question.principal = TextOf(body, "principal");
  question.certificate_groups = TextOf(body, "certificate_groups");
  question.operation = TextOf(body, "operation");
  question.object = TextOf(body, "object");
  question.owner = TextOf(body, "owner");
  question.name = TextOf(body, "name");
  question.group = TextOf(body, "group");
  question.address = TextOf(body, "address");
  question.at = TextOf(body, "at");
  event.subject = question.principal;
  event.detail = question.operation;
  return office.Explain(question, event.peer);
}

}  // namespace

std::optional<Result<std::string>> ServePolicy(const HttpRequest& request, AdminEvent& event,
                                               PolicyOffice& office) {
  const bool get = request.method == "GET", post = request.method == "POST";
  const std::string_view path = request.path;
  const std::string version_path = std::string(kVersions) + "/";
  const bool one_version = get && path.starts_with(version_path);
  if ((get && (path == kPolicy || path == kVersions)) || one_version) {
    event.operation = "read policy";
    if (!event.permitted) return std::string();
    if (path == kPolicy) return office.InForce();
    if (path == kVersions) return office.History();
    const Result<std::uint64_t> number = NumberIn(path.substr(version_path.size()));
    if (!number) return number.error();
    return office.Version(*number);
  }
  if (post && path == kCheck) {
    event.operation = "check policy";
    return event.permitted ? Check(request, office) : std::string();
  }
  if (post && path == kPolicy) {
    event.operation = "apply policy";
    return event.permitted ? Apply(request, event, office) : std::string();
  }
  if (post && path == kExplain) {
    event.operation = "explain";
    return event.permitted ? Explain(request, event, office) : std::string();
  }
  return std::nullopt;
}

}  // namespace dare::server

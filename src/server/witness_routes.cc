#include "server/witness_routes.h"

#include <boost/json.hpp>
#include <utility>

#include "base/log.h"
#include "server/json_body.h"

namespace dare::server {
namespace {

namespace json = boost::json;

Result<std::string> Do(const HttpRequest& request, const Peer& peer, WitnessOffice& office) {
  if (request.method == "GET") {
    const std::string newest = TRY(office.Newest(peer));
    return json::serialize(json::object{{"checkpoint", newest}});
  }
  if (request.method == "POST") {
    const json::object body = TRY(ReadJsonBody(request, {"checkpoint", "public_key"}));
    TRY(office.Take(TextOf(body, "checkpoint"), TextOf(body, "public_key"), peer));
    return json::serialize(json::object{});
  }
  return Error(Code::kNotFound, request.method + " " + request.path + " is no route");
}

}  // namespace

HttpResponse WitnessRoutes::Serve(const HttpRequest& request, const Caller& caller) {
  if (request.path != kWitnessPath) return next_.Serve(request, caller);
  const Peer& peer = *caller.peer;
  const bool permitted = office_.IsWitnessed(peer);
  const Result<std::string> done =
      permitted ? Do(request, peer, office_)
                : Result<std::string>(Error(Code::kDenied, "no log of yours is witnessed here"));
  if (!done) {
    AdminEvent event;
    event.peer = peer;
    event.operation = "witness checkpoint";
    event.rule = "audit.witness_for";
    event.permitted = permitted;
    event.failure = done.error();
    if (const Result<void> recorded = observer_(event); !recorded) {
      log::Failure("a refused checkpoint was not audited: " + recorded.error().message);
    }
  }
  return AnswerInJson(done);
}

}  // namespace dare::server

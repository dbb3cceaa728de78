#include "server/people.h"

#include <optional>
#include <string_view>

#include "base/log.h"
#include "identity/token_check.h"

namespace dare::server {
namespace {

// RFC 6750, 2.1. Nothing where another scheme is used, or none.
std::optional<std::string_view> BearerToken(std::string_view header) {
  constexpr std::string_view kScheme = "bearer";
  if (header.size() <= kScheme.size() || header[kScheme.size()] != ' ' ||
      !HasMediaType(header.substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  header.remove_prefix(kScheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  return header;
}

}  // namespace

HttpResponse PeopleRoutes::Serve(const HttpRequest& request, const Caller& caller) {
  const auto token = BearerToken(request.authorization);
  if (!token || !request.path.starts_with(kAdminPrefix)) return next_.Serve(request, caller);
  const Result<identity::Person> person = tokens_.WhoShows(*token);
  if (!person) return Refuse(person.error(), caller);
  auto peer = std::make_shared<Peer>(*caller.peer);
  peer->common_name = person->name;
  peer->units = person->groups;
  peer->serial.clear();
  peer->fingerprint.clear();
  peer->not_after = person->expires;
  peer->person = true;
  return next_.Serve(request, {std::move(peer), nullptr});
}

HttpResponse PeopleRoutes::Refuse(const Error& why, const Caller& caller) {
  AdminEvent event;
  event.peer = *caller.peer;
  event.operation = "show a token";
  event.rule = "token";
  event.failure = why;
  if (const Result<void> recorded = observer_(event); !recorded) {
    log::Failure("a refused token was not audited: " + recorded.error().message);
    return RefusalInJson(503, "unavailable", "the request could not be recorded");
  }
  if (why.code != Code::kUnauthenticated) {
    HttpResponse response = RefusalInJson(503, CodeName(why.code), why.message);
    response.headers.emplace_back("Retry-After", "30");
    return response;
  }
  HttpResponse response = RefusalInJson(401, "unauthenticated", "the token is not accepted");
  response.headers.emplace_back("WWW-Authenticate",
                                "Bearer realm=\"dare-kms\", error=\"invalid_token\"");
  return response;
}

}  // namespace dare::server

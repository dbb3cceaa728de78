#pragma once

#include <functional>
#include <utility>

#include "server/admin.h"
#include "server/https.h"

namespace dare::identity {
class TokenCheck;
}

namespace dare::server {

// PeopleRoutes let people administer without a certificate: a request under /admin/v1/ that shows a
// token of OpenID Connect (Authorization: Bearer, RFC 6750) goes on to `next` with a Peer that is
// the person, and no certificate's holder any more. A token that is none is answered with 401, and
// one text whatever is wrong with it. Everything else goes on as it is. Thread-safe; `next` and
// `tokens` outlive it.
class PeopleRoutes : public HttpRoutes {
 public:
  // `observer` is told of tokens that were refused.
  PeopleRoutes(HttpRoutes& next, identity::TokenCheck& tokens,
               std::function<Result<void>(const AdminEvent&)> observer)
      : next_(next), tokens_(tokens), observer_(std::move(observer)) {}
  HttpResponse Serve(const HttpRequest& request, const Caller& caller) override;

 private:
  HttpResponse Refuse(const Error& why, const Caller& caller);

  HttpRoutes& next_;
  identity::TokenCheck& tokens_;
  const std::function<Result<void>(const AdminEvent&)> observer_;
};

}  // namespace dare::server

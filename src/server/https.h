#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/framing.h"
#include "server/handler.h"

namespace dare::server {

// What a route gets and gives. Header values are as received; names are not case-sensitive and were
// matched already.
struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // without the query
  std::string authorization;
  std::string content_type;
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;  // further ones
  std::string body;
};

// HttpRoutes answer HTTP requests. Called on loop threads; thread-safe.
class HttpRoutes {
 public:
  virtual ~HttpRoutes() = default;
  virtual HttpResponse Serve(const HttpRequest& request, const Caller& caller) = 0;
};

struct HttpLimits {
  std::size_t header_bytes = 8192;
  std::size_t body_bytes = 65536;
};

// Requests of HTTP/1.0 and 1.1 with a Content-Length or no body (RFC 9112); chunked bodies are
// refused with 411. Refusals are answered before the connection closes.
class HttpFraming : public Framing {
 public:
  explicit HttpFraming(HttpLimits limits = {}) : limits_(limits) {}
  Result<std::size_t> MessageSize(ByteView bytes) const override;
  WipingBytes Refusal(const Error& error) const override;

 private:
  const HttpLimits limits_;
};

// Parses a request, asks the routes, writes the response. `routes` outlives it.
class HttpHandler : public RequestHandler {
 public:
  explicit HttpHandler(HttpRoutes& routes) : routes_(routes) {}
  Handled Handle(ByteView request, const Caller& caller, const ReplyTo& later,
                 WipingBytes& answer) override;

 private:
  HttpRoutes& routes_;
};

}  // namespace dare::server

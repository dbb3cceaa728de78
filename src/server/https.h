#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/framing.h"
#include "server/handler.h"

namespace dare::server {

// What administrators ask is below this path.
inline constexpr std::string_view kAdminPrefix = "/admin/v1/";

class KmipOverHttps;  // server/kmip_over_https.h

// What becomes of the connection when a request is answered.
enum class HttpConnection : std::uint8_t {
  kKeep,
  kKeepAndSay,  // HTTP/1.0: only what is said is kept
  kClose,
};

// What a route gets and gives. Header values are as received; names are not case-sensitive and were
// matched already. `body` is valid, and wiped, only until the request is handled.
struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // without the query
  std::string authorization;
  std::string content_type;
  std::string_view body;
  HttpConnection connection = HttpConnection::kKeep;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;  // further ones
  std::string body;
};

// Appends `response` with `body` instead of its own.
void WriteHttpResponse(const HttpResponse& response, ByteView body, HttpConnection connection,
                       WipingBytes& out);
// True when a Content-Type names `type` (in lower case), whatever its parameters.
bool HasMediaType(std::string_view content_type, std::string_view type);

// HttpRoutes answer HTTP requests. Called on loop threads; thread-safe.
class HttpRoutes {
 public:
  virtual ~HttpRoutes() = default;
  virtual HttpResponse Serve(const HttpRequest& request, const Caller& caller) = 0;
};

struct HttpLimits {
  std::size_t header_bytes = 8192;
  std::size_t body_bytes = 65536;
  std::size_t kmip_body_bytes = 65536;        // of a client with a certificate, for the path /kmip
  std::size_t admin_body_bytes = 640u << 10;  // the same, under /admin/: a whole policy
};

// Requests of HTTP/1.0 and 1.1 with a Content-Length or no body (RFC 9112); chunked bodies are
// refused with 411. Refusals are answered before the connection closes.
class HttpFraming : public Framing {
 public:
  explicit HttpFraming(HttpLimits limits = {}) : limits_(limits) {}
  Result<std::size_t> MessageSize(ByteView bytes, const Peer& peer) const override;
  WipingBytes GoAhead(ByteView bytes) const override;  // 100 Continue
  WipingBytes Refusal(const Error& error) const override;

 private:
  const HttpLimits limits_;
};

// Parses a request, asks the routes, writes the response. What comes to /kmip goes to `kmip`, which
// may be null: then there is no such path. `routes` and `kmip` outlive it.
class HttpHandler : public RequestHandler {
 public:
  explicit HttpHandler(HttpRoutes& routes, KmipOverHttps* kmip = nullptr)
      : routes_(routes), kmip_(kmip) {}
  std::shared_ptr<const void> Meet(const Peer& peer) override;
  Handled Handle(ByteView request, const Caller& caller, const ReplyTo& later,
                 WipingBytes& answer) override;
  Result<void> Flush() override;

 private:
  HttpRoutes& routes_;
  KmipOverHttps* const kmip_;
};

}  // namespace dare::server

// What a stranger sends to the HTTPS port after its handshake (server/https.h): any bytes, as they
// arrive. The first byte says who sends them and where they are cut: what is told of a message by
// its first bytes must stay true when more of it has come.
#include <algorithm>

#include "base/check.h"
#include "server/https.h"

namespace dare::server {
namespace {

// Says what it was asked.
class Echo : public HttpRoutes {
 public:
  HttpResponse Serve(const HttpRequest& request, const Caller&) override {
    CHECK(!request.method.empty() && request.path.find('?') == std::string::npos);
    HttpResponse response;
    response.body = request.method + " " + request.path + " " + std::string(request.body);
    return response;
  }
};

// Every way to a message's end, byte by byte for small ones, gives the same end.
void CheckPrefixes(const HttpFraming& framing, ByteView message, const Peer& peer) {
  const std::size_t step = std::max<std::size_t>(1, message.size() / 64);
  for (std::size_t size = 1; size < message.size(); size += step) {
    const Result<std::size_t> told = framing.MessageSize(message.first(size), peer);
    CHECK(told && (*told == 0 || *told == message.size()));
    (void)framing.GoAhead(message.first(size));
  }
}

void Converse(ByteView bytes, const Peer& peer) {
  static Echo echo;
  static HttpHandler handler(echo);
  const HttpLimits limits;
  const HttpFraming framing(limits);
  const Caller caller{.peer = std::make_shared<Peer>(peer), .principal = nullptr};
  const std::shared_ptr<Mailbox> none;
  while (!bytes.empty()) {
    const Result<std::size_t> size = framing.MessageSize(bytes, peer);
    if (!size) {
      CHECK(AsText(framing.Refusal(size.error())).starts_with("HTTP/1.1 4"));
      return;
    }
    CHECK(*size <= limits.header_bytes + limits.admin_body_bytes);
    if (*size == 0 || *size > bytes.size()) return;
    const ByteView message = bytes.first(*size);
    CheckPrefixes(framing, message, peer);
    WipingBytes answer;
    const Handled handled = handler.Handle(message, caller, ReplyTo(none, 0), answer);
    CHECK(handled == Handled::kAnswered || handled == Handled::kAnsweredAndClose);
    CHECK(AsText(answer).starts_with("HTTP/1.1 "));
    if (handled == Handled::kAnsweredAndClose) return;
    bytes = bytes.subspan(*size);
  }
}

}  // namespace
}  // namespace dare::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  dare::server::Peer peer;
  if ((data[0] & 1) != 0) peer.fingerprint = "known";
  dare::server::Converse({data + 1, size - 1}, peer);
  return 0;
}

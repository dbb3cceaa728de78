#include "server/https.h"

#include <algorithm>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cctype>
#include <ctime>

#include "server/kmip_over_https.h"

namespace dare::server {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::string HttpDate() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64] = "";
  (void)std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

std::string_view ReasonPhrase(int status) {
  const auto phrase = http::obsolete_reason(static_cast<http::status>(status));
  return {phrase.data(), phrase.size()};
}

template <typename Body>
bool Parse(http::request_parser<Body>& parser, ByteView bytes) {
  boost::beast::error_code failure;
  while (!bytes.empty() && !parser.is_done()) {
    const std::size_t used =
        parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), failure);
    if (failure) return false;
    if (used == 0) break;
    bytes = bytes.subspan(used);
  }
  return bytes.empty();
}

// A request's head.
using HeadParser = http::request_parser<http::empty_body>;

// True when `head` is a whole head and nothing else.
bool ParseHead(HeadParser& parser, ByteView head, std::size_t header_limit) {
  parser.header_limit(static_cast<std::uint32_t>(header_limit));
  parser.skip(true);
  return Parse(parser, head) && parser.is_header_done();
}

// Where the head ends, or npos.
std::size_t HeadSize(std::string_view text) {
  const std::size_t end = text.find(kHeadEnd);
  return end == std::string_view::npos ? end : end + kHeadEnd.size();
}

std::string PathOf(const http::request<http::empty_body>& request) {
  const auto target = request.target();
  return std::string(target.substr(0, target.find('?')));
}

HttpConnection ConnectionOf(const http::request<http::empty_body>& request) {
  if (!request.keep_alive()) return HttpConnection::kClose;
  return request.version() < 11 ? HttpConnection::kKeepAndSay : HttpConnection::kKeep;
}

std::string Value(const http::request<http::empty_body>& request, http::field field) {
  const auto value = request[field];
  return {value.data(), value.size()};
}

}  // namespace

void WriteHttpResponse(const HttpResponse& response, ByteView body, HttpConnection connection,
                       WipingBytes& out) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " +
                     std::string(ReasonPhrase(response.status)) + "\r\n";
  head += "Date: " + HttpDate() + "\r\n";
  if (!body.empty()) head += "Content-Type: " + response.content_type + "\r\n";
  head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : response.headers) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (connection == HttpConnection::kClose) head += "Connection: close\r\n";
  if (connection == HttpConnection::kKeepAndSay) head += "Connection: keep-alive\r\n";
  head += "\r\n";
  out.reserve(out.size() + head.size() + body.size());
  Append(out, AsBytes(head));
  Append(out, body);
}

bool HasMediaType(std::string_view content_type, std::string_view type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return std::equal(content_type.begin(), content_type.end(), type.begin(), type.end(),
                    [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

Result<std::size_t> HttpFraming::MessageSize(ByteView bytes, const Peer& peer) const {
  const std::string_view text = AsText(bytes.first(std::min(bytes.size(), limits_.header_bytes)));
  // What cannot begin a request is not waited for, and is none either when all of it is there.
  if (bytes[0] < 'A' || bytes[0] > 'Z') return Error(Code::kMalformed, "not HTTP", 400);
  const std::size_t head = HeadSize(text);
  if (head == std::string_view::npos) {
    if (bytes.size() >= limits_.header_bytes) {
      return Error(Code::kTooLarge, "HTTP header too large", 431);
    }
    return std::size_t{0};
  }
  try {  // Beast throws nothing here but what allocation throws
    HeadParser parser;
    if (!ParseHead(parser, bytes.first(head), limits_.header_bytes)) {
      return Error(Code::kMalformed, "malformed HTTP header", 400);
    }
    if (parser.chunked()) return Error(Code::kUnsupported, "chunked HTTP body", 411);
    const auto length = parser.content_length();
    const std::uint64_t body = length ? *length : 0;
    // Strangers may not make us hold as much as those whom a certificate names.
    std::size_t most = limits_.body_bytes;
    if (peer.authenticated()) {
      const auto path = PathOf(parser.get());
      if (path == kKmipPath) most = limits_.kmip_body_bytes;
      if (path.starts_with(kAdminPrefix)) most = limits_.admin_body_bytes;
    }
    if (body > most) {
      return Error(Code::kTooLarge, "HTTP body too large", 413);
    }
    return head + static_cast<std::size_t>(body);
  } catch (const std::exception&) {
    return Error(Code::kExhausted, "out of memory", 503);
  }
}

//= rfc9110 10.1.1
//# Upon receiving an HTTP/1.1 (or later) request that has a method, target URI, and complete header
//# section that contains a 100-continue expectation and indicates that request content will follow,
//# an origin server MUST send either: an immediate response with a final status code … or an
//# immediate 100 (Continue) response
WipingBytes HttpFraming::GoAhead(ByteView bytes) const {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const std::string_view text = AsText(bytes.first(std::min(bytes.size(), limits_.header_bytes)));
  const std::size_t head = HeadSize(text);
  // Content that is on its way already needs no word.
  if (head == std::string_view::npos || head != bytes.size()) return {};
  try {
    HeadParser parser;
    if (!ParseHead(parser, bytes, limits_.header_bytes)) return {};
    const auto& request = parser.get();
    const auto expected = Value(request, http::field::expect);
    if (request.version() < 11 || !HasMediaType(expected, "100-continue")) return {};
    const ByteView word = AsBytes(kContinue);
    return {word.begin(), word.end()};
  } catch (const std::exception&) {
    return {};
  }
}

WipingBytes HttpFraming::Refusal(const Error& error) const {
  HttpResponse response;
  response.status =
      error.detail >= 400 && error.detail < 600 ? static_cast<int>(error.detail) : 400;
  response.body = error.message + "\n";
  WipingBytes out;
  WriteHttpResponse(response, AsBytes(response.body), HttpConnection::kClose, out);
  return out;
}

std::shared_ptr<const void> HttpHandler::Meet(const Peer& peer) {
  return kmip_ != nullptr ? kmip_->Meet(peer) : nullptr;
}

Result<void> HttpHandler::Flush() { return kmip_ != nullptr ? kmip_->Flush() : Result<void>(); }

Handled HttpHandler::Handle(ByteView bytes, const Caller& caller, const ReplyTo& later,
                            WipingBytes& answer) {
  try {
    HttpResponse response;
    HeadParser parser;
    const std::size_t head = HeadSize(AsText(bytes));
    if (head == std::string_view::npos || !ParseHead(parser, bytes.first(head), head)) {
      response.status = 400;
      response.body = "malformed HTTP request\n";
      WriteHttpResponse(response, AsBytes(response.body), HttpConnection::kClose, answer);
      return Handled::kAnsweredAndClose;
    }
    const auto message = parser.release();
    HttpRequest request;
    request.method = std::string(message.method_string());
    request.path = PathOf(message);
    request.content_type = Value(message, http::field::content_type);
    request.body = AsText(bytes.subspan(head));
    request.connection = ConnectionOf(message);
    if (kmip_ != nullptr && request.path == kKmipPath) {
      return kmip_->Serve(request, caller, later, answer);
    }
    request.authorization = Value(message, http::field::authorization);
    response = routes_.Serve(request, caller);
    Wipe({reinterpret_cast<std::uint8_t*>(request.authorization.data()),
          request.authorization.size()});
    WriteHttpResponse(response, AsBytes(response.body), request.connection, answer);
    return request.connection == HttpConnection::kClose ? Handled::kAnsweredAndClose
                                                        : Handled::kAnswered;
  } catch (const std::exception&) {
    return Handled::kRefused;
  }
}

}  // namespace dare::server

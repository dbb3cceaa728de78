#include "server/https.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>

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

void WriteResponse(const HttpResponse& response, bool close, WipingBytes& out) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " +
                     std::string(ReasonPhrase(response.status)) + "\r\n";
  head += "Date: " + HttpDate() + "\r\n";
  if (!response.body.empty()) head += "Content-Type: " + response.content_type + "\r\n";
  head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
  if (close) head += "Connection: close\r\n";
  head += "\r\n";
  Append(out, AsBytes(head));
  Append(out, AsBytes(response.body));
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

std::string Value(const http::request<http::string_body>& request, http::field field) {
  const auto value = request[field];
  return {value.data(), value.size()};
}

}  // namespace

Result<std::size_t> HttpFraming::MessageSize(ByteView bytes) const {
  const std::string_view text = AsText(bytes.first(std::min(bytes.size(), limits_.header_bytes)));
  const std::size_t end = text.find(kHeadEnd);
  if (end == std::string_view::npos) {
    if (bytes.size() >= limits_.header_bytes) {
      return Error(Code::kTooLarge, "HTTP header too large", 431);
    }
    // What cannot begin a request is not waited for.
    if (bytes[0] < 'A' || bytes[0] > 'Z') return Error(Code::kMalformed, "not HTTP", 400);
    return std::size_t{0};
  }
  const std::size_t head = end + kHeadEnd.size();
  try {  // Beast throws nothing here but what allocation throws
    http::request_parser<http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    parser.skip(true);
    if (!Parse(parser, bytes.first(head)) || !parser.is_header_done()) {
      return Error(Code::kMalformed, "malformed HTTP header", 400);
    }
    if (parser.chunked()) return Error(Code::kUnsupported, "chunked HTTP body", 411);
    const auto length = parser.content_length();
    const std::uint64_t body = length ? *length : 0;
    if (body > limits_.body_bytes) return Error(Code::kTooLarge, "HTTP body too large", 413);
    return head + static_cast<std::size_t>(body);
  } catch (const std::exception&) {
    return Error(Code::kExhausted, "out of memory", 503);
  }
}

WipingBytes HttpFraming::Refusal(const Error& error) const {
  HttpResponse response;
  response.status =
      error.detail >= 400 && error.detail < 600 ? static_cast<int>(error.detail) : 400;
  response.body = error.message + "\n";
  WipingBytes out;
  WriteResponse(response, true, out);
  return out;
}

Handled HttpHandler::Handle(ByteView bytes, const Caller& caller, const ReplyTo& /*later*/,
                            WipingBytes& answer) {
  try {
    http::request_parser<http::string_body> parser;
    parser.eager(true);
    HttpResponse response;
    if (!Parse(parser, bytes) || !parser.is_done()) {
      response.status = 400;
      response.body = "malformed HTTP request\n";
      WriteResponse(response, true, answer);
      return Handled::kAnsweredAndClose;
    }
    http::request<http::string_body> message = parser.release();
    HttpRequest request;
    request.method = std::string(message.method_string());
    const auto target = message.target();
    request.path = std::string(target.substr(0, target.find('?')));
    request.authorization = Value(message, http::field::authorization);
    request.content_type = Value(message, http::field::content_type);
    request.body = std::move(message.body());
    response = routes_.Serve(request, caller);
    Wipe({reinterpret_cast<std::uint8_t*>(request.authorization.data()),
          request.authorization.size()});
    const bool close = !message.keep_alive();
    WriteResponse(response, close, answer);
    return close ? Handled::kAnsweredAndClose : Handled::kAnswered;
  } catch (const std::exception&) {
    return Handled::kRefused;
  }
}

}  // namespace dare::server

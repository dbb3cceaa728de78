#include "client/endpoint.h"

#include <charconv>
#include <utility>

namespace dare::client {

std::string Endpoint::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> ParseEndpoint(std::string_view text) {
  const auto refuse = [&] {
    std::string message = "\"";
    message.append(text).append("\" is not HOST or HOST:PORT");
    return Error(Code::kInvalidArgument, std::move(message));
  };
  Endpoint endpoint;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return refuse();
    endpoint.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return refuse();
  } else {
    const std::size_t colon = text.find(':');
    if (colon != text.rfind(':')) return refuse();  // an IPv6 address wants brackets
    endpoint.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (endpoint.host.empty()) return refuse();
  if (port.empty()) return endpoint;
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.port == 0) {
    return refuse();
  }
  return endpoint;
}

}  // namespace dare::client

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dare::client {

inline constexpr std::uint16_t kKmipPort = 5696;  // kmip-profiles-2.1 3.3, assigned by IANA

// Where a key server listens.
struct Endpoint {
  std::string host;  // name, IPv4 or IPv6 address without brackets
  std::uint16_t port = kKmipPort;

  std::string ToString() const;  // "host:port", "[v6]:port"
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Reads "host", "host:port", "[v6]" or "[v6]:port"; kInvalidArgument otherwise.
Result<Endpoint> ParseEndpoint(std::string_view text);

}  // namespace dare::client

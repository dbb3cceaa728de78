#include "server/network.h"

#include <arpa/inet.h>

#include <algorithm>

namespace dare::server {

std::string NetworkOf(std::string_view address) {
  std::string text(address);
  in6_addr bytes{};
  if (address.find(':') == std::string_view::npos ||
      ::inet_pton(AF_INET6, text.c_str(), &bytes) != 1) {
    return text;
  }
  constexpr std::size_t kHost = 8;  // bytes of the network's own
  std::fill(std::begin(bytes.s6_addr) + kHost, std::end(bytes.s6_addr), std::uint8_t{0});
  char network[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET6, &bytes, network, sizeof network);
  return std::string(network) + "/64";
}

}  // namespace dare::server

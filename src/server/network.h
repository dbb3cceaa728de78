#pragma once

#include <string>
#include <string_view>

namespace dare::server {

// Whom an address stands for when addresses are counted: an IPv4 address for itself, an IPv6
// address for its /64, which is what one machine is given (RFC 6177) and may draw addresses from.
std::string NetworkOf(std::string_view address);

}  // namespace dare::server

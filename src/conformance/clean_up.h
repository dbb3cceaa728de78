#pragma once

#include <set>
#include <string>

#include "conformance/peer.h"
#include "kmip/protocol_version.h"

namespace dare::conformance {

// Destroys objects that a conversation made and left behind, recovering archived and revoking
// active ones, as each of `clients` clients in turn. Returns those that stay. The variations allow
// it ("leave out clean-up steps if objects are removed otherwise"); without it the next case would
// meet names that are taken.
std::set<std::string> CleanUp(const std::set<std::string>& ids, kmip::ProtocolVersion version,
                              const Connect& connect, std::size_t clients);

}  // namespace dare::conformance

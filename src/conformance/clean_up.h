#pragma once

#include <set>
#include <string>

#include "conformance/peer.h"
#include "kmip/protocol_version.h"

namespace dare::conformance {

// Destroys objects that a conversation made and left behind, revoking those that are active, as
// each of `clients` clients in turn. What cannot be destroyed stays. The variations allow it
// ("leave out clean-up steps if objects are removed otherwise"); without it the next case would
// meet names that are taken.
void CleanUp(const std::set<std::string>& ids, kmip::ProtocolVersion version,
             const Connect& connect, std::size_t clients);

}  // namespace dare::conformance

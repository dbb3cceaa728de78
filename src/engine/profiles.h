#pragma once

#include <vector>

#include "engine/server_facts.h"
#include "kmip/payloads/query.h"

namespace dare::engine {

// The profiles that this server claims to one who speaks `version` (kmip-2.1 7.31, 11.41): those of
// which it passes all mandatory test cases; docs/conformance.md names the cases.
std::vector<kmip::ProfileInformation> ClaimedProfiles(kmip::ProtocolVersion version,
                                                      const ServerFacts& facts);

}  // namespace dare::engine

#pragma once

#include <vector>

#include "engine/operation.h"
#include "kmip/payloads/query.h"

namespace dare::engine {

// The profiles that this server, configured as it is, claims to one who speaks the version of the
// request (kmip-2.1 7.31, 11.41): those of which it passes all mandatory test cases;
// docs/conformance.md names the cases.
std::vector<kmip::ProfileInformation> ClaimedProfiles(const OperationContext& context);

}  // namespace dare::engine

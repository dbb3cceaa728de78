#pragma once

#include <memory>
#include <string>

#include "audit/witness.h"
#include "server/config.h"

namespace dare::kms {

// "node:https://HOST:PORT": another node, which keeps the checkpoints for us (witness_desk.h). It
// is shown the certificate of [audit], which has this node's name. Calls wait a few seconds at
// most; after one that came to nothing the node is left alone for a while.
inline constexpr std::string_view kNodeWitness = "node:";
// kInvalidArgument where the place is no such URL or the certificate is not configured.
Result<std::unique_ptr<audit::Witness>> MakeNodeWitness(const std::string& place,
                                                        const server::Config& config);

}  // namespace dare::kms

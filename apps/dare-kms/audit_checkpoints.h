#pragma once

#include <memory>

#include "audit/checkpointer.h"
#include "key_station.h"
#include "server/config.h"

namespace dare::kms {

audit::AuditOptions AuditOptionsOf(const server::Config& config);

// Finds the audit log's key in the first token; asked again, later, when it is away.
audit::SignerSource AuditSignerOf(const server::Config& config, const KeyStation& keys);

// Begins the audit log's checkpoints, signed by the key of the first token, told to the configured
// witnesses. The key is looked for when the first one is due, so that a token that is away delays
// no start.
Result<std::unique_ptr<audit::Checkpointer>> StartCheckpoints(const server::Config& config,
                                                              audit::AuditLog& log,
                                                              const Clock& clock,
                                                              const KeyStation& keys);

}  // namespace dare::kms

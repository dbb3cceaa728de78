#pragma once

#include "audit/audit_log.h"
#include "audit/checkpointer.h"
#include "hsm/sealer.h"
#include "server/est.h"
#include "store/object_store.h"

namespace dare::kms {

// How the server is, for /healthz and /readyz. Serving: the audit log can be written and the store
// be read, so that requests are answered, if only those whose keys are at hand. Ready: new keys can
// be sealed, too. An administrator's seal (docs/kill-switch.md) is neither. Late checkpoints of the
// audit log change nothing, but are told; so are revocation lists of authorities that have ended or
// cannot be read (`lists_good`). The text says which part is how, and no more than that:
// anybody may read it. Asks the store, but no HSM: what their guards know is enough.
server::Health AssessHealth(const audit::AuditLog& audit, const audit::Checkpointer& checkpoints,
                            const store::ObjectStore& store, const hsm::Sealer& sealer, bool sealed,
                            bool lists_good, std::string_view system_call_filter);

}  // namespace dare::kms

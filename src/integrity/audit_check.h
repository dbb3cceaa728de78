#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "integrity/findings.h"
#include "store/object_store.h"

namespace dare::integrity {

struct AuditTotals {
  std::uint64_t logs = 0;         // folders
  std::uint64_t entries = 0;      //
  std::uint64_t claims = 0;       // entries that say what became of an object
  std::uint64_t lost_groups = 0;  // changes that a crash kept from being committed; nobody was told
};

// A node's log, whole, and how far it went before the snapshot was taken: of what came later the
// snapshot knows nothing.
struct AuditFolder {
  std::string path;
  std::uint64_t last = 0;  // sequence number
};
// kNotFound where there is no log.
Result<AuditFolder> MarkAuditFolder(const std::string& path);

// Holds `snapshot` against what the audit logs in `folders`, one for each node, say was made,
// changed and removed. `groups` is how far each node's sum is in the snapshot, by its fact's key.
// The memory it takes does not grow with the logs.
Result<AuditTotals> CheckAgainstAudit(const store::WholeReader& snapshot,
                                      const std::vector<AuditFolder>& folders,
                                      const std::map<std::string, std::uint64_t>& groups,
                                      const std::atomic<bool>* cancelled, Findings& findings);

}  // namespace dare::integrity

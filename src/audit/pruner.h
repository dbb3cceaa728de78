#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "audit/audit_log.h"
#include "audit/checkpointer.h"
#include "base/clock.h"

namespace dare::audit {

struct PruneOptions {
  std::string folder;             // of the log
  std::string origin;             // PruningOriginOf(node)
  std::int64_t before = 0;        // what is removed is older than this; POSIX seconds
  std::string who;                // asked for it
  std::string address;            // from where
  std::string rule;               // by which rule
  std::uint64_t covered = 0;      // entries up to this one are those of a checkpoint
  std::uint64_t most_files = 32;  // are removed at one time
  // Told before each step; an error ends it there, as a crash would. For tests.
  std::function<Result<void>(const char* step)> step_for_test;
};

struct PruneResult {
  std::uint64_t files = 0;    // that were removed
  std::uint64_t entries = 0;  // that were in them
  std::uint64_t size = 0;     // entries that were ever removed
  bool more = false;          // more could be removed in another call
};

// Removes the log's oldest files, whole ones, as far as all their entries are older than asked for,
// lie behind a checkpoint and are those that it signs: nothing is removed that was altered. Never
// the file that is written. In this order, each on the disk before the next: an entry that tells
// what will be removed, the signed record of it (pruning.h), the removal. So a crash leaves either
// all files, or the record with some of what it says was removed, which nobody reads and
// FinishPruning removes. One call at a time.
//
// kDamaged: the log was altered; kUnavailable and others: the key. Nothing was removed then.
Result<PruneResult> PruneLog(const PruneOptions& options, AuditLog& log, const Clock& clock,
                             const SignerSource& signer);

// Removes what a crash left of files that are pruned. For a log that was just opened. kMalformed:
// the records are not ours.
Result<void> FinishPruning(const std::string& folder);

}  // namespace dare::audit

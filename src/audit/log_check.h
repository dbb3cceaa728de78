#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/verify.h"

namespace dare::audit {

// Checks a whole log against its chain and against signed checkpoints, from files alone.
struct LogCheckOptions {
  std::string path;                           // the log's folder, or one file with all lines
  CheckpointKeys keys;                        // empty: signatures are not checked
  std::vector<std::string> checkpoint_files;  // besides the folder's own: of witnesses, noted ones
  std::string pruned_file;                    // records of prunings; empty: the folder's own
  // Told now and then how many bytes of the log were read; an error ends it.
  std::function<Result<void>(std::uint64_t bytes)> progress;
};

struct LogReport {
  std::string problem;          // the first thing wrong; empty: nothing
  std::uint64_t first_bad = 0;  // the entry it was found at; 0: it is not about an entry
  std::string file;             // and where that stands
  std::uint64_t line = 0;
  std::uint64_t entries = 0;      // the last good one's number
  std::uint64_t pruned = 0;       // entries up to this one were removed, as a record says
  std::int64_t pruned_time = 0;   // which was made then
  std::string pruned_by;          // and names who did it
  std::uint64_t checkpoints = 0;  // that were looked at and agree
  std::uint64_t covered = 0;      // entries up to this one are those of a checkpoint
  std::int64_t covered_time = 0;  // which was made then
  bool signatures_checked = false;
  bool torn_tail = false;
  LineHash last_hash;
};

// A log may begin behind its first line, where records of prunings say so: then what is there must
// continue what they say was removed, and no checkpoint may contradict that. Finds every entry that
// was edited, removed, inserted or moved, up to the newest checkpoint also where the chain was made
// anew behind it; and an end that was cut off before that checkpoint. Memory does not grow with the
// log, only with the checkpoints (56 bytes for each). kNotFound, kIo; what is wrong with the log is
// in the report.
Result<LogReport> CheckLog(const LogCheckOptions& options);

}  // namespace dare::audit

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "audit/line.h"

namespace dare::audit {

// What a walk along the chain found.
struct Verification {
  bool intact = false;
  std::uint64_t entries = 0;   // the last good one's number
  std::uint64_t segments = 0;  // files looked at
  LineHash last_hash;      // of the last good line: note it elsewhere to notice a cut-off end later
  bool torn_tail = false;  // the last line is unfinished: a crash, or a write going on right now
  // The first thing wrong, empty when intact:
  std::string segment;     // file name
  std::uint64_t line = 0;  // from 1
  std::string problem;
};

// Walks the whole log in `folder`, from its first line, or from where its newest pruning ended
// (pruning.h). Finds every line that was edited, removed,
// inserted or moved, except that the last line may have been edited and lines after it removed:
// nothing follows that would know, but a checkpoint (log_check.h). Reads only; safe beside a
// running server. kNotFound: no log there. kIo. `visit` is given each good line's entry; the walk
// ends where it fails.
using EntryVisitor = std::function<Result<void>(const NumberedEntry&)>;
Result<Verification> Verify(const std::string& folder, const EntryVisitor& visit = nullptr);

// Gives the lines of a folder's files from `first_file` on, or of one file that has all of them, to
// `judge`, which says what is wrong: empty, nothing. The first thing wrong ends it. `entries` and
// `last_hash` are for whoever judges.
using LineJudge = std::function<Result<std::string>(std::string_view line)>;
Result<Verification> WalkLines(const std::string& path, const LineJudge& judge,
                               std::uint64_t first_file = 1);

}  // namespace dare::audit

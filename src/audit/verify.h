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
  std::uint64_t entries = 0;   // good ones, up to the first bad one
  std::uint64_t segments = 0;  // files looked at
  LineHash last_hash;      // of the last good line: note it elsewhere to notice a cut-off end later
  bool torn_tail = false;  // the last line is unfinished: a crash, or a write going on right now
  // The first thing wrong, empty when intact:
  std::string segment;     // file name
  std::uint64_t line = 0;  // from 1
  std::string problem;
};

// Walks the whole log in `folder`, from its first line. Finds every line that was edited, removed,
// inserted or moved, except that the last line may have been edited and lines after it removed:
// nothing follows that would know, but a checkpoint (log_check.h). Reads only; safe beside a
// running server. kNotFound: no log there. kIo. `visit` is given each good line's entry; the walk
// ends where it fails.
using EntryVisitor = std::function<Result<void>(const NumberedEntry&)>;
Result<Verification> Verify(const std::string& folder, const EntryVisitor& visit = nullptr);

// The same along a folder's files, or one file that has all lines. `judge` is given the number and
// the bytes of each line that follows the one before, and says what is wrong: empty, nothing.
using LineJudge = std::function<Result<std::string>(std::uint64_t sequence, std::string_view line)>;
Result<Verification> VerifyLines(const std::string& path, const LineJudge& judge);

}  // namespace dare::audit

#include "audit/verify.h"

#include "audit/log_lines.h"
#include "audit/log_walk.h"
#include "audit/pruning.h"

namespace dare::audit {

Result<Verification> WalkLines(const std::string& path, const LineJudge& judge,
                               std::uint64_t first_file) {
  LogLines lines = TRY(LogLines::Open(path, first_file));
  Verification found;
  while (true) {
    const Result<std::optional<std::string_view>> line = lines.Next();
    found.segments = lines.files();
    if (!line) {
      if (line.error().code != Code::kDamaged) return line.error();
      found.problem = line.error().message;
    } else if (!*line) {
      found.torn_tail = lines.is_torn();
      found.intact = true;
      return found;
    } else {
      found.problem = TRY(judge(**line));
    }
    if (!found.problem.empty()) {
      found.segment = lines.file();
      found.line = lines.line();
      return found;
    }
  }
}

Result<Verification> Verify(const std::string& folder, const EntryVisitor& visit) {
  const TreeState start = TRY(FirstState(folder));
  ChainWalk walk(start);
  const LineJudge judge = [&](std::string_view line) -> Result<std::string> {
    std::string problem = walk.Check(line);
    if (!problem.empty()) return problem;
    if (visit) {
      const Result<NumberedEntry> entry = ParseLine(line);
      if (!entry) return entry.error().message;
      TRY(visit(*entry));
    }
    walk.Advance(line);
    return std::string();
  };
  Verification found = TRY(WalkLines(folder, judge, start.segment));
  found.entries = walk.entries();
  found.last_hash = walk.last_hash();
  return found;
}

}  // namespace dare::audit

#include "audit/log_check.h"

#include "audit/checkpoint_file.h"
#include "audit/log_walk.h"
#include "audit/pruning.h"
#include "base/file.h"

namespace dare::audit {
namespace {

constexpr std::uint64_t kBetweenReports = 4096;

// Where the log begins, and who says so.
Result<TreeState> Begin(const LogCheckOptions& options, LogReport& report) {
  const std::string path =
      options.pruned_file.empty() ? options.path + "/" + kPruningFile : options.pruned_file;
  const Result<std::vector<SignedPruning>> read = ReadPrunings(path);
  if (!read) {
    if (read.error().code != Code::kMalformed) return read.error();
    report.problem = read.error().message;
    return TreeState();
  }
  for (const SignedPruning& one : *read) {
    const Result<void> checked = options.keys.empty()
                                     ? Result<void>()
                                     : options.keys.Check(one.pruning.origin, one.body, one.by);
    if (checked) continue;
    report.problem = path + ", record of the removal of " +
                     std::to_string(one.pruning.edge.size()) +
                     " entries: " + checked.error().message;
    return TreeState();
  }
  if (read->empty()) return TreeState();
  const Pruning& newest = read->back().pruning;
  report.pruned = newest.edge.size();
  report.pruned_time = newest.time;
  report.pruned_by = newest.who;
  return StateAfter(newest);
}

}  // namespace

Result<LogReport> CheckLog(const LogCheckOptions& options) {
  LogReport report;
  report.signatures_checked = !options.keys.empty();
  CheckpointMarks marks;
  const std::string own = options.path + "/" + kCheckpointFile;
  if (FileExists(own)) report.problem = TRY(marks.Load(own, options.keys));
  for (const std::string& file : options.checkpoint_files) {
    std::string problem = TRY(marks.Load(file, options.keys));
    if (report.problem.empty()) report.problem = std::move(problem);
  }
  if (!report.problem.empty()) return report;
  const TreeState start = TRY(Begin(options, report));
  if (!report.problem.empty()) return report;
  LogWalk walk(start, marks.Sorted());
  report.problem = walk.Begin();
  if (!report.problem.empty()) return report;
  std::uint64_t bytes = 0;
  const LineJudge judge = [&](std::string_view line) -> Result<std::string> {
    std::string problem = walk.Take(line);
    bytes += line.size() + 1;
    const bool due = options.progress && walk.entries() % kBetweenReports == 0;
    if (due) TRY(options.progress(bytes));
    return problem;
  };
  Verification found = TRY(WalkLines(options.path, judge, start.segment));
  report.entries = walk.entries();
  report.last_hash = walk.last_hash();
  report.torn_tail = found.torn_tail;
  report.checkpoints = walk.checkpoints();
  report.covered = walk.covered();
  report.covered_time = walk.covered_time();
  if (!found.intact) {
    report.problem = std::move(found.problem);
    report.file = std::move(found.segment);
    report.line = found.line;
  } else {
    report.problem = walk.End();
  }
  if (!report.problem.empty()) report.first_bad = walk.entries() + 1;
  return report;
}

}  // namespace dare::audit

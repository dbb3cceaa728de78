#include "audit/log_check.h"

#include <algorithm>

#include "audit/checkpoint_file.h"
#include "base/file.h"

namespace dare::audit {
namespace {

constexpr std::uint64_t kBetweenReports = 4096;

// What is kept of a checkpoint.
struct Mark {
  std::uint64_t size = 0;
  TreeHash root{};
  std::int64_t time = 0;
};

class LogCheck {
 public:
  explicit LogCheck(const LogCheckOptions& options) : options_(options) {
    report_.signatures_checked = !options.keys.empty();
  }

  Result<LogReport> Run() {
    const std::string own = options_.path + "/" + kCheckpointFile;
    if (FileExists(own)) TRY(Load(own));
    for (const std::string& file : options_.checkpoint_files) TRY(Load(file));
    if (!report_.problem.empty()) return report_;
    std::ranges::sort(marks_, {}, &Mark::size);
    Verification walk =
        TRY(VerifyLines(options_.path, [this](std::uint64_t sequence, std::string_view line) {
          return Judge(sequence, line);
        }));
    report_.entries = walk.entries;
    report_.last_hash = walk.last_hash;
    report_.torn_tail = walk.torn_tail;
    if (!walk.intact) {
      report_.problem = std::move(walk.problem);
      report_.file = std::move(walk.segment);
      report_.line = walk.line;
      report_.first_bad = walk.entries + 1;
    } else if (next_ < marks_.size()) {
      const Mark& newest = marks_.back();
      report_.problem = "the log ends here, and its checkpoint of " +
                        std::string(TimeText(newest.time)) + " has " + std::to_string(newest.size) +
                        " entries: its end was cut off";
      report_.first_bad = walk.entries + 1;
    }
    return report_;
  }

 private:
  Result<void> Load(const std::string& path) {
    const Result<void> read =
        ReadCheckpoints(path, [&](const SignedCheckpoint& one) { return Take(path, one); });
    if (read) return {};
    if (read.error().code != Code::kMalformed && read.error().code != Code::kDamaged) {
      return read.error();
    }
    if (report_.problem.empty()) report_.problem = read.error().message;
    return {};
  }

  Result<void> Take(const std::string& path, const SignedCheckpoint& one) {
    const Checkpoint& checkpoint = one.checkpoint;
    if (!options_.keys.empty()) {
      const Result<void> checked = options_.keys.Check(one);
      if (!checked) {
        return Error(Code::kDamaged, path + ", checkpoint of " + std::to_string(checkpoint.size) +
                                         " entries: " + checked.error().message);
      }
    }
    marks_.push_back({checkpoint.size, checkpoint.root, checkpoint.time});
    return {};
  }

  Result<std::string> Judge(std::uint64_t sequence, std::string_view line) {
    edge_.Add(HashOfLeaf(line));
    for (; next_ < marks_.size() && marks_[next_].size == sequence; ++next_) {
      const Mark& mark = marks_[next_];
      if (mark.root != edge_.Root()) {
        return "entries " + std::to_string(report_.covered + 1) + " to " +
               std::to_string(sequence) + " are not those of the checkpoint of " +
               std::string(TimeText(mark.time)) +
               ": one of them was changed and the chain after it made anew";
      }
      report_.covered = sequence;
      report_.covered_time = mark.time;
      ++report_.checkpoints;
    }
    bytes_ += line.size() + 1;
    if (options_.progress && sequence % kBetweenReports == 0) TRY(options_.progress(bytes_));
    return std::string();
  }

  const LogCheckOptions& options_;
  LogReport report_;
  std::vector<Mark> marks_;  // by size
  std::size_t next_ = 0;     // the first that was not met yet
  TreeEdge edge_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<LogReport> CheckLog(const LogCheckOptions& options) { return LogCheck(options).Run(); }

}  // namespace dare::audit

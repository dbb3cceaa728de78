#include "envelope/rewrap_run.h"

#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <set>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "envelope/asked_ahead.h"
#include "envelope/io.h"

namespace dare::envelope {
namespace {

// Disks and journals take many syncs at once for little more than the price of one. Together the
// groups stay below 1024 descriptors (the usual limit) and take 84 KiB of the secure heap.
constexpr std::size_t kThreads = 16;
constexpr std::size_t kGroup = 56;

bool AreSame(const std::optional<Error>& a, const Error& b) {
  return a && a->code == b.code && a->message == b.message;
}

class Run {
 public:
  Run(const std::function<std::optional<RewrapCandidate>()>& next, const RewrapWish& wish,
      const RewrapRunOptions& options, RewrapObserver& observer)
      : next_(next), wish_(wish), options_(options), observer_(observer) {}

  RewrapRunResult Go() {
    Work();
    // Nobody starts threads any more: the last who could has found nothing left.
    std::vector<std::jthread> threads;
    {
      const MutexLock lock(mutex_);
      threads.swap(threads_);
    }
    threads.clear();
    const MutexLock lock(mutex_);
    if (Cancelled() && !stopped_) stopped_ = envelope::Cancelled();
    return {counts_, stopped_};
  }

 private:
  using Inode = std::pair<std::uint64_t, std::uint64_t>;

  bool Cancelled() const { return options_.cancelled != nullptr && options_.cancelled->load(); }

  void Work() {
    for (;;) {
      const std::vector<std::string> group = GatherGroup();
      if (group.empty()) return;
      Rewrap(group);
    }
  }

  // Up to kGroup files that need it; none at the end.
  std::vector<std::string> GatherGroup() {
    std::vector<std::string> group;
    while (group.size() < kGroup) {
      const std::vector<RewrapCandidate> candidates = Take(kGroup - group.size());
      if (candidates.empty()) break;
      for (const RewrapCandidate& candidate : candidates) Look(candidate, group);
    }
    return group;
  }

  std::vector<RewrapCandidate> Take(std::size_t most) {
    std::vector<RewrapCandidate> taken;
    const MutexLock lock(mutex_);
    while (taken.size() < most && !ended_ && !stopped_ && !Cancelled()) {
      std::optional<RewrapCandidate> candidate = next_();
      if (candidate) {
        taken.push_back(*std::move(candidate));
      } else {
        ended_ = true;
      }
    }
    if (!ended_ && !taken.empty()) StartAnother();
    return taken;
  }

  // There is more than one thread has taken.
  void StartAnother() REQUIRES(mutex_) {
    if (threads_.size() + 1 >= kThreads) return;
    try {
      threads_.emplace_back([this] {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // they are for the first thread
        Work();
      });
    } catch (const std::system_error&) {
      // Those we have do the work.
    }
  }

  // Counts what is nothing to be rewrapped, and puts the rest into `group`.
  void Look(const RewrapCandidate& candidate, std::vector<std::string>& group) {
    if (candidate.error) return Fail(candidate.path, *candidate.error);
    struct stat status {};
    const char* path = candidate.path.c_str();
    if ((candidate.named ? ::stat(path, &status) : ::lstat(path, &status)) != 0) {
      return Fail(candidate.path, IoError("cannot look at " + candidate.path, errno));
    }
    if (!S_ISREG(status.st_mode)) {
      return Fail(candidate.path,
                  Error(Code::kInvalidArgument, candidate.path + " is not a regular file"));
    }
    {
      const MutexLock lock(mutex_);
      if (!seen_.insert({status.st_dev, status.st_ino}).second) {
        ++counts_.repeated;
        Done(1);
        return;
      }
    }
    const Result<OpeningKeys> found = FindOpeningKeys(candidate.path);
    if (!found) return Fail(candidate.path, found.error());
    const Result<RewrapNeed> need = NeedOfRewrap(*found, wish_);
    if (!need) return Fail(candidate.path, need.error().In(candidate.path));
    if (*need == RewrapNeed::kNeeded && !options_.dry_run) {
      group.push_back(candidate.path);
    } else {
      Count(candidate, *need);
    }
  }

  void Count(const RewrapCandidate& candidate, RewrapNeed need) {
    const std::string& path = candidate.path;
    if (candidate.named && need == RewrapNeed::kOther) {
      return Fail(path, Error(Code::kDamaged, path + ": not a sealed file or damaged"));
    }
    if (candidate.named && need == RewrapNeed::kMessage) {
      return Fail(path, Error(Code::kUnsupported,
                              path + ": a bare message, whose header never changes; seal it anew"));
    }
    const MutexLock lock(mutex_);
    switch (need) {
      case RewrapNeed::kNeeded:
        ++counts_.rewrapped;
        observer_.Rewrapped(path, {});
        break;
      case RewrapNeed::kDone:
        ++counts_.done_before;
        break;
      case RewrapNeed::kOtherKeys:
        ++counts_.other_keys;
        break;
      case RewrapNeed::kMessage:
        ++counts_.messages;
        break;
      case RewrapNeed::kOther:
        ++counts_.others;
        break;
    }
    Done(1);
  }

  void Rewrap(const std::vector<std::string>& group) {
    FilesRewrapped rewrapped = RewrapFiles(group, wish_);
    const MutexLock lock(mutex_);
    counts_.bytes_written += rewrapped.bytes_written;
    const bool cancelled = Cancelled();
    for (std::size_t i = 0; i < group.size(); ++i) {
      const Result<RewrapSummary>& summary = rewrapped.results.each[i];
      if (summary) {
        ++counts_.rewrapped;
        observer_.Rewrapped(group[i], *summary);
        continue;
      }
      // What would be the same for every other file ends the run, and is no fault of this one.
      const Error& error = summary.error();
      if (AreSame(rewrapped.results.new_keks_fault, error) || NobodyAnswers(error)) {
        if (!stopped_) stopped_ = cancelled ? envelope::Cancelled() : error;
      } else {
        ++counts_.failed;
        observer_.Failed(group[i], error);
      }
    }
    Done(group.size());
  }

  void Fail(const std::string& path, const Error& error) {
    const MutexLock lock(mutex_);
    ++counts_.failed;
    observer_.Failed(path, error);
    Done(1);
  }

  void Done(std::uint64_t more) REQUIRES(mutex_) {
    done_ += more;
    observer_.Progress(done_);
  }

  const std::function<std::optional<RewrapCandidate>()>& next_;
  const RewrapWish& wish_;
  const RewrapRunOptions& options_;

  Mutex mutex_;
  RewrapObserver& observer_ GUARDED_BY(mutex_);
  RewrapCounts counts_ GUARDED_BY(mutex_);
  std::optional<Error> stopped_ GUARDED_BY(mutex_);
  std::set<Inode> seen_ GUARDED_BY(mutex_);
  std::uint64_t done_ GUARDED_BY(mutex_) = 0;
  bool ended_ GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_ GUARDED_BY(mutex_);
};

}  // namespace

RewrapRunResult RunRewrap(const std::function<std::optional<RewrapCandidate>()>& next,
                          const RewrapWish& wish, const RewrapRunOptions& options,
                          RewrapObserver& observer) {
  return Run(next, wish, options, observer).Go();
}

}  // namespace dare::envelope

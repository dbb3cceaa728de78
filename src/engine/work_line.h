#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "base/mutex.h"

namespace dare::engine {

// A WorkLine is a thread of its own and the jobs that wait for it, in the order in which they came.
// Thread-safe.
template <typename Job>
class WorkLine {
 public:
  // Called on that thread, for one job after another. `ending`: the line is being destroyed.
  using Work = std::function<void(Job job, bool ending)>;

  explicit WorkLine(Work work) : work_(std::move(work)) {
    thread_ = std::jthread([this] { Run(); });
  }
  // Those that wait are worked on first.
  ~WorkLine() {
    {
      const MutexLock lock(mutex_);
      ending_ = true;
    }
    wake_.NotifyAll();
    thread_.join();
  }

  void Add(Job job) EXCLUDES(mutex_) {
    AddIf(job, [](const std::deque<Job>&) { return true; });
  }
  // `may_wait` is asked about those that wait already; where it is false, `job` stays as it is.
  template <typename Predicate>
  bool AddIf(Job& job, const Predicate& may_wait) EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (!may_wait(std::as_const(waiting_))) return false;
      waiting_.push_back(std::move(job));
    }
    wake_.NotifyOne();
    return true;
  }

 private:
  struct Turn {
    Job job;
    bool ending;
  };

  std::optional<Turn> Take() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (waiting_.empty() && !ending_) wake_.Wait(mutex_);
    if (waiting_.empty()) return std::nullopt;
    Turn turn{std::move(waiting_.front()), ending_};
    waiting_.pop_front();
    return turn;
  }
  void Run() {
    while (auto turn = Take()) work_(std::move(turn->job), turn->ending);
  }

  const Work work_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<Job> waiting_ GUARDED_BY(mutex_);
  bool ending_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace dare::engine

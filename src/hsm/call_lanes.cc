#include "hsm/call_lanes.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <utility>

namespace dare::hsm {
namespace {

std::atomic<bool> left_calls_behind = false;
// Of all lanes: lanes that only such a call still knows end with it, whenever that is.
std::atomic<int> overdue_calls = 0;

}  // namespace

bool CallLanes::LeftCallsBehind() { return left_calls_behind || overdue_calls > 0; }

CallLanes::~CallLanes() {
  std::vector<std::thread> in_time;
  {
    const MutexLock lock(shared_->mutex);
    shared_->ended = true;
    shared_->wake.NotifyAll();
    for (Lane& lane : lanes_) {
      const bool hangs = *lane.job != nullptr && (*lane.job)->overdue;
      if (hangs) left_calls_behind = true;
      // A call that came back late may itself have been the last to know us.
      if (hangs || lane.thread.get_id() == std::this_thread::get_id()) {
        lane.thread.detach();
      } else {
        in_time.push_back(std::move(lane.thread));
      }
    }
  }
  for (std::thread& thread : in_time) thread.join();
}

void CallLanes::Serve(const std::shared_ptr<Shared>& shared, std::shared_ptr<Job>& current) {
  for (;;) {
    std::shared_ptr<Job> job;
    {
      const MutexLock lock(shared->mutex);
      while (shared->queue.empty() && !shared->ended) {
        ++shared->idle;
        shared->wake.Wait(shared->mutex);
        --shared->idle;
      }
      if (shared->queue.empty()) return;
      job = std::move(shared->queue.front());
      shared->queue.erase(shared->queue.begin());
      job->progress = Progress::kRunning;
      current = job;
    }
    job->call();
    job->call = nullptr;  // what it owns goes before anybody is told that it ended
    const MutexLock lock(shared->mutex);
    job->progress = Progress::kEnded;
    if (job->overdue) {
      --shared->hanging;
      --overdue_calls;
    }
    current.reset();
    job->ended.NotifyAll();
  }
}

void CallLanes::StartLane() {
  auto job = std::make_shared<std::shared_ptr<Job>>();
  lanes_.push_back({std::thread([shared = shared_, job] { Serve(shared, *job); }), job});
}

Result<void> CallLanes::Run(std::function<void()> call, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const auto job = std::make_shared<Job>();
  job->call = std::move(call);
  std::function<void()> never_begun;  // destroyed after the lock is gone
  const MutexLock lock(shared_->mutex);
  if (shared_->hanging >= most_) {
    return Error(Code::kUnavailable,
                 "all " + std::to_string(most_) + " calls to the token hang and none came back");
  }
  shared_->queue.push_back(job);
  if (shared_->idle < shared_->queue.size() && lanes_.size() < most_) StartLane();
  shared_->wake.NotifyOne();
  while (job->progress != Progress::kEnded) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    job->ended.WaitFor(shared_->mutex, left);
  }
  if (job->progress == Progress::kEnded) return {};
  if (job->progress == Progress::kWaiting) {
    std::erase(shared_->queue, job);
    never_begun = std::move(job->call);
  } else {
    job->overdue = true;
    ++shared_->hanging;
    ++overdue_calls;
  }
  return Error(Code::kTimeout,
               "the token did not answer within " + std::to_string(limit.count()) + " ms");
}

std::size_t CallLanes::hanging() const {
  const MutexLock lock(shared_->mutex);
  return shared_->hanging;
}

}  // namespace dare::hsm

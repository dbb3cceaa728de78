#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace dare::hsm {

// CallLanes are a few threads for calls that may never come back. Whoever asks waits for no longer
// than he said; a call that is overdue keeps its thread and nothing else, and the thread is used
// again when the call returns after all. Threads are started when they are needed, never more than
// `most`. Thread-safe. The destructor waits for calls that are in time, not for those that hang.
class CallLanes {
 public:
  explicit CallLanes(std::size_t most) : most_(most), shared_(std::make_shared<Shared>()) {}
  ~CallLanes();
  CallLanes(const CallLanes&) = delete;
  CallLanes& operator=(const CallLanes&) = delete;

  // Runs `call` on a thread of its own. kTimeout when it did not end within `limit`, waiting for a
  // free thread included: if it has begun by then, it goes on alone, so it must own whatever it
  // touches. kUnavailable at once when every thread hangs.
  Result<void> Run(std::function<void()> call, std::chrono::milliseconds limit);

  // Calls that are overdue and have not come back.
  std::size_t hanging() const;

  // True when lanes ended while a call of theirs hung, or a call hangs now. It may still be inside
  // the token's module, or come back to it: such a process must end without the destructors of what
  // is static there
  // (_exit).
  static bool LeftCallsBehind();

 private:
  enum class Progress { kWaiting, kRunning, kEnded };
  struct Job {
    std::function<void()> call;
    Progress progress = Progress::kWaiting;  // as is the next one, under Shared::mutex
    bool overdue = false;
    CondVar ended;
  };
  // What the threads touch; it lives as long as the last of them.
  struct Shared {
    Mutex mutex;
    CondVar wake;
    std::vector<std::shared_ptr<Job>> queue GUARDED_BY(mutex);  // first come, first served
    std::size_t idle GUARDED_BY(mutex) = 0;
    std::size_t hanging GUARDED_BY(mutex) = 0;
    bool ended GUARDED_BY(mutex) = false;
  };
  struct Lane {
    std::thread thread;
    std::shared_ptr<std::shared_ptr<Job>> job;  // what it does now; the inner one under mutex
  };

  static void Serve(const std::shared_ptr<Shared>& shared, std::shared_ptr<Job>& current);
  void StartLane() REQUIRES(shared_->mutex);

  const std::size_t most_;
  const std::shared_ptr<Shared> shared_;
  std::vector<Lane> lanes_ GUARDED_BY(shared_->mutex);
};

}  // namespace dare::hsm

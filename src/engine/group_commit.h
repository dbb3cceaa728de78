#pragma once

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "engine/batch.h"

namespace dare::audit {
class AuditLog;
}

namespace dare::engine {

// Where the answer of a submitted request goes: called exactly once, on the writer thread.
class Completion {
 public:
  virtual ~Completion() = default;
  virtual void Done(WipingBytes answer) = 0;
};

// The one thread that changes the store. It takes all requests that wait, answers each inside one
// transaction (each batch item under a savepoint of its own), writes and syncs their audit entries,
// commits once, and only then answers: a change and its entry are durable before anybody hears of
// them, at one sync for many. If the audit log cannot be written or the commit fails, nothing of
// the group happened and all of it is refused. Between groups it drops expired keys from the
// cache. Thread-safe. Requests still waiting at destruction are served before it ends.
class GroupCommit {
 public:
  GroupCommit(EngineParts& parts, const ttlv::Limits& limits, audit::AuditLog& audit);
  ~GroupCommit();

  void Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
              std::unique_ptr<Completion> completion);

 private:
  struct Job {
    WipingBytes request;
    std::shared_ptr<const Caller> caller;
    std::unique_ptr<Completion> completion;
    WipingBytes answer;
    Answered answered;
  };
  static constexpr std::size_t kMostJobsAtOnce = 256;
  static constexpr std::chrono::seconds kCacheCare{5};

  void Run();
  // Empty when it is time to look after the cache, or to end.
  std::vector<Job> TakeJobs();
  bool Stopping() EXCLUDES(mutex_);
  void Commit(std::vector<Job>& jobs);
  Result<void> CommitAll(std::vector<Job>& jobs);
  void RefuseAll(std::vector<Job>& jobs, const Error& error);

  EngineParts& parts_;
  const ttlv::Limits limits_;
  audit::AuditLog& audit_;
  Mutex mutex_;
  CondVar wake_;
  std::vector<Job> waiting_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace dare::engine

#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "engine/audit_tail.h"
#include "engine/authenticator.h"
#include "engine/batch.h"
#include "engine/draft.h"
#include "engine/request_memory.h"
#include "engine/summed_store.h"

namespace dare::audit {
class AuditLog;
}

namespace dare::custody {
class Custody;
}

namespace dare::engine {

class HabitWatch;

// A Chore is work of the server's own that goes along with the next group, behind its requests.
class Chore {
 public:
  virtual ~Chore() = default;
  // On the writer thread, under a savepoint; an error undoes what it did and nothing else. Called
  // once more when the group begins again.
  virtual Result<void> Do(store::Transaction& transaction) = 0;
  // Objects that Do changed, for those who keep copies.
  virtual std::vector<std::string> Changed() const { return {}; }
  // Exactly once: the error of Do, or of the commit.
  virtual void Done(const Result<void>& result) = 0;
};

// Where the answer of a submitted request goes. Called on the writer thread (or, by the Kms, on the
// thread that read).
class Completion {
 public:
  virtual ~Completion() = default;
  // The answer as it will be if the commit succeeds; whoever is told of it must not let it out
  // before, but requests behind it in the same commit may build on it.
  virtual void Expect(const WipingBytes& /*answer*/) {}
  // Exactly once.
  virtual void Done(WipingBytes answer) = 0;
};

// The one thread that changes the store. It takes all requests that wait, answers each inside one
// transaction (each batch item under a savepoint of its own), writes their audit entries to the log
// and, with the changes, into the transaction (audit_tail.h), commits once, and only then answers:
// a change and its entry are durable before anybody hears of them, at one sync for many. If the
// audit log cannot be written or the commit fails, nothing of the group happened and all of it is
// refused. Where other nodes change the store, too, and one of them was faster (kConflict), nothing
// happened either: the group begins again, with what is true by then; at last each request on its
// own. Between groups it drops expired keys from the cache, and old requests from the memory of
// requests. Thread-safe. Requests still waiting at
// destruction are served before it ends.
class GroupCommit {
 public:
  // `parts`, `store`, `audit` and `custody` (null: keys never change and nobody counts) outlive it.
  // `node` names this server among those that use the store.
  GroupCommit(EngineParts& parts, SummedStore& store, const ttlv::Limits& limits,
              audit::AuditLog& audit, const std::string& node, custody::Custody* custody = nullptr,
              HabitWatch* habits = nullptr);
  ~GroupCommit();

  // `admission` where the message has credentials, which were judged; `draft` where there is one.
  void Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
              std::unique_ptr<Completion> completion,
              std::optional<Admission> admission = std::nullopt,
              std::unique_ptr<Draft> draft = nullptr);
  // One chore goes with each group, in the order in which they were given.
  void SubmitChore(std::unique_ptr<Chore> chore) EXCLUDES(mutex_);

 private:
  struct Job {
    WipingBytes request;
    std::shared_ptr<const Caller> caller;
    std::unique_ptr<Completion> completion;
    std::optional<Admission> admission;
    std::unique_ptr<Draft> draft;  // for the first attempt
    WipingBytes answer = {};
    Answered answered = {};
    std::shared_ptr<const PreparedWork> prepared = {};  // for all attempts
    bool final = false;                 // its answer stands, whatever becomes of the others
    std::vector<RecordChange> changes;  // of the store, by this request
  };
  static constexpr std::size_t kMostJobsAtOnce = 256;
  static constexpr std::chrono::seconds kCacheCare{5};
  static constexpr std::chrono::milliseconds kMostPatience{10};
  static constexpr std::chrono::milliseconds kForgetAgain{60'000};
  static constexpr std::chrono::milliseconds kForgetMore{1'000};
  using Moment = std::chrono::steady_clock::time_point;

  void Run();
  // Empty when it is time to look after the cache, or to end.
  std::vector<Job> TakeJobs() EXCLUDES(mutex_);
  void ExpectThemAgain(std::size_t answered, Moment begun) EXCLUDES(mutex_);
  bool Stopping() EXCLUDES(mutex_);
  void ForgetOldRequests();
  // The chore that goes with a group, and what became of it there.
  struct ChoreTurn {
    Chore* chore = nullptr;
    Result<void> done;
  };
  std::unique_ptr<Chore> TakeChore() EXCLUDES(mutex_);
  void Commit(std::vector<Job>& jobs, Chore* chore);
  void Publish(std::vector<ObjectChange> changes);
  void Finish(std::span<Job> jobs, const Result<void>& committed);
  Result<void> CommitAgain(std::span<Job> jobs, ChoreTurn& turn, int most_attempts);
  Result<void> CommitAll(std::span<Job> jobs, ChoreTurn& turn, bool deferring, bool& recorded);
  static void LookAhead(std::span<const Job> jobs, SummedTransaction& transaction);
  void Answer(Job& job, SummedTransaction& transaction);
  Result<void> Record(std::span<Job> jobs, SummedTransaction& transaction);
  Result<void> LeaveForOtherNodes(std::span<const Job> jobs, SummedTransaction& transaction);
  void TakeBack(std::span<Job> jobs, const Error& error, bool recorded);
  void RefuseAll(std::span<Job> jobs, const Error& error);
  void RecordFailure(Job& job, const std::string& why);

  EngineParts& parts_;
  SummedStore& store_;
  const ttlv::Limits limits_;
  audit::AuditLog& audit_;
  custody::Custody* const custody_;
  HabitWatch* const habits_;  // null: nobody looks
  AuditTail tail_;
  OldRequests old_requests_;  // the thread's own, as the next
  Moment forget_requests_at_{};
  Mutex mutex_;
  CondVar wake_;
  std::vector<Job> waiting_ GUARDED_BY(mutex_);
  std::size_t awaited_ GUARDED_BY(mutex_) = 1;  // so many make the thread begin, until …
  Moment patient_until_ GUARDED_BY(mutex_);     // … this moment; then one is enough
  std::deque<std::unique_ptr<Chore>> chores_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace dare::engine

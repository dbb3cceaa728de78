#include "engine/group_commit.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "audit/audit_log.h"
#include "base/log.h"
#include "engine/object_cache.h"
#include "engine/sessions.h"

namespace dare::engine {

GroupCommit::GroupCommit(EngineParts& parts, const ttlv::Limits& limits, audit::AuditLog& audit,
                         const std::string& node)
    : parts_(parts),
      limits_(limits),
      audit_(audit),
      tail_(parts.vault, audit, node),
      old_requests_(parts.clock) {
  thread_ = std::jthread([this] { Run(); });
}

GroupCommit::~GroupCommit() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void GroupCommit::Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
                         std::unique_ptr<Completion> completion,
                         std::optional<Admission> admission) {
  bool enough = false;
  {
    const MutexLock lock(mutex_);
    waiting_.push_back({std::move(request),
                        std::move(caller),
                        std::move(completion),
                        std::move(admission),
                        {},
                        {}});
    enough = waiting_.size() >= awaited_;
  }
  if (enough) wake_.NotifyOne();
}

std::vector<GroupCommit::Job> GroupCommit::TakeJobs() {
  const MutexLock lock(mutex_);
  while (awaited_ > 1 && waiting_.size() < awaited_ && !stopping_) {
    const auto left = patient_until_ - parts_.clock.Steady();
    if (left.count() <= 0 || !wake_.WaitFor(mutex_, left)) awaited_ = 1;
  }
  if (waiting_.empty() && !stopping_) wake_.WaitFor(mutex_, kCacheCare);
  if (waiting_.size() <= kMostJobsAtOnce) return std::exchange(waiting_, {});
  const auto end = waiting_.begin() + kMostJobsAtOnce;
  std::vector<Job> jobs(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return jobs;
}

// Clients that are answered together ask again together, but the first of them a moment before the
// others: without patience it would make a group of its own, and the others would wait for its
// sync. So the next group waits for as many as could come, for no longer than this one took: nobody
// waits longer than if he had come when a group had just begun.
void GroupCommit::ExpectThemAgain(std::size_t answered, Moment begun) {
  const Moment now = parts_.clock.Steady();
  const MutexLock lock(mutex_);
  awaited_ = std::min(answered + waiting_.size(), kMostJobsAtOnce);
  patient_until_ = now + std::min<Moment::duration>(now - begun, kMostPatience);
}

bool GroupCommit::Stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

void GroupCommit::Run() {
  auto next_care = std::chrono::steady_clock::now() + kCacheCare;
  for (;;) {
    std::vector<Job> jobs = TakeJobs();
    if (!jobs.empty()) Commit(jobs);
    if (jobs.empty() && Stopping()) return;
    if (const auto now = std::chrono::steady_clock::now(); now >= next_care) {
      parts_.cache.DropExpired();
      next_care = now + kCacheCare;
    }
    ForgetOldRequests();
  }
}

void GroupCommit::ForgetOldRequests() {
  const Moment now = parts_.clock.Steady();
  if (now < forget_requests_at_) return;
  // Another node may be at it; and of a store that is away those hear who need it.
  const Result<bool> more = old_requests_.ForgetSome(parts_.store);
  forget_requests_at_ = now + (more && *more ? kForgetMore : kForgetAgain);
}

void GroupCommit::Commit(std::vector<Job>& jobs) {
  const Moment begun = parts_.clock.Steady();
  const Result<void> committed = CommitAll(jobs);
  if (!committed) {
    log::Failure("a group of " + std::to_string(jobs.size()) +
                 " requests was rolled back: " + committed.error().message);
    RefuseAll(jobs, committed.error());
  }
  // Also where it failed: a commit that reports an error may have reached the disk all the same.
  for (const Job& job : jobs) {
    for (const std::string& id : job.answered.changed) parts_.cache.Forget(id);
  }
  ExpectThemAgain(jobs.size(), begun);
  for (Job& job : jobs) {
    job.completion->Done(std::move(job.answer));
    // Behind the answer, where it is the same connection.
    if (committed && !job.answered.told.empty()) {
      parts_.sessions.outbox.Publish(std::move(job.answered.told));
    }
  }
}

Result<void> GroupCommit::CommitAll(std::vector<Job>& jobs) {
  const std::unique_ptr<store::Transaction> transaction = TRY(parts_.store.Begin());
  for (Job& job : jobs) {
    job.answered = AnswerMessage(parts_, limits_, *job.caller, job.request, transaction.get(),
                                 job.answer, job.admission ? &*job.admission : nullptr);
    job.completion->Expect(job.answer);
  }
  TRY(Record(jobs, *transaction));
  return transaction->Commit();
}

Result<void> GroupCommit::Record(const std::vector<Job>& jobs, store::Transaction& transaction) {
  std::vector<audit::NumberedEntry> of_changes;
  for (const Job& job : jobs) {
    for (const audit::Entry& entry : job.answered.entries) {
      const std::uint64_t sequence = TRY(audit_.Append(entry));
      if (!job.answered.changed.empty()) of_changes.push_back({sequence, entry});
    }
  }
  TRY(audit_.Flush());
  return tail_.Put(transaction, of_changes);
}

void GroupCommit::RefuseAll(std::vector<Job>& jobs, const Error& error) {
  for (Job& job : jobs) {
    for (audit::Entry& entry : job.answered.entries) {
      entry.outcome = audit::Outcome::kFailed;
      entry.detail = "rolled back: " + error.message;
      // The log is what may have failed; then there is nothing left to write it to.
      if (!audit_.Append(entry)) break;
    }
    RefuseMessage(parts_.clock, job.request, kmip::ResultReason::kGeneralFailure,
                  "the change could not be made durable", job.answer);
  }
  if (Result<void> flushed = audit_.FlushAndSync(); !flushed) {
    log::Failure("the audit log cannot be written: " + flushed.error().message);
  }
}

}  // namespace dare::engine

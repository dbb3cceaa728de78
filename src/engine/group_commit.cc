#include "engine/group_commit.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "audit/audit_log.h"
#include "base/log.h"
#include "engine/object_cache.h"

namespace dare::engine {

GroupCommit::GroupCommit(EngineParts& parts, const ttlv::Limits& limits, audit::AuditLog& audit)
    : parts_(parts), limits_(limits), audit_(audit) {
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
                         std::unique_ptr<Completion> completion) {
  {
    const MutexLock lock(mutex_);
    waiting_.push_back({std::move(request), std::move(caller), std::move(completion), {}, {}});
  }
  wake_.NotifyOne();
}

std::vector<GroupCommit::Job> GroupCommit::TakeJobs() {
  const MutexLock lock(mutex_);
  if (waiting_.empty() && !stopping_) wake_.WaitFor(mutex_, kCacheCare);
  if (waiting_.size() <= kMostJobsAtOnce) return std::exchange(waiting_, {});
  const auto end = waiting_.begin() + kMostJobsAtOnce;
  std::vector<Job> jobs(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return jobs;
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
  }
}

void GroupCommit::Commit(std::vector<Job>& jobs) {
  if (Result<void> committed = CommitAll(jobs); !committed) {
    log::Failure("a group of " + std::to_string(jobs.size()) +
                 " requests was rolled back: " + committed.error().message);
    RefuseAll(jobs, committed.error());
  }
  // Also where it failed: a commit that reports an error may have reached the disk all the same.
  for (const Job& job : jobs) {
    for (const std::string& id : job.answered.changed) parts_.cache.Forget(id);
  }
  for (Job& job : jobs) job.completion->Done(std::move(job.answer));
}

Result<void> GroupCommit::CommitAll(std::vector<Job>& jobs) {
  const std::unique_ptr<store::Transaction> transaction = TRY(parts_.store.Begin());
  for (Job& job : jobs) {
    job.answered =
        AnswerMessage(parts_, limits_, *job.caller, job.request, transaction.get(), job.answer);
  }
  for (const Job& job : jobs) {
    for (const audit::Entry& entry : job.answered.entries) TRY(audit_.Append(entry));
  }
  TRY(audit_.FlushAndSync());
  return transaction->Commit();
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

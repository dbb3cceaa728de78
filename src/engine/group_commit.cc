#include "engine/group_commit.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "audit/audit_log.h"
#include "base/log.h"
#include "custody/custody.h"
#include "engine/approval_desk.h"
#include "engine/change_ring.h"
#include "engine/habit_watch.h"
#include "engine/message_answer.h"
#include "engine/message_refusal.h"
#include "engine/object_cache.h"
#include "engine/random_iv_budget.h"
#include "engine/resident_care.h"
#include "engine/sessions.h"

namespace dare::engine {
namespace {

// How often requests begin again that other nodes were faster than.
constexpr int kAttemptsTogether = 4;
constexpr int kAttemptsAlone = 10;
constexpr std::chrono::milliseconds kPause{3};

}  // namespace

GroupCommit::GroupCommit(EngineParts& parts, SummedStore& store, const ttlv::Limits& limits,
                         audit::AuditLog& audit, const std::string& node, custody::Custody* custody,
                         HabitWatch* habits)
    : parts_(parts),
      store_(store),
      limits_(limits),
      audit_(audit),
      custody_(custody),
      habits_(habits),
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
                         std::unique_ptr<Completion> completion, std::optional<Admission> admission,
                         std::unique_ptr<Draft> draft) {
  bool enough = false;
  {
    const MutexLock lock(mutex_);
    waiting_.push_back({std::move(request), std::move(caller), std::move(completion),
                        std::move(admission), std::move(draft)});
    enough = waiting_.size() >= awaited_;
  }
  if (enough) wake_.NotifyOne();
}

void GroupCommit::SubmitChore(std::unique_ptr<Chore> chore) {
  {
    const MutexLock lock(mutex_);
    chores_.push_back(std::move(chore));
  }
  wake_.NotifyOne();
}

std::unique_ptr<Chore> GroupCommit::TakeChore() {
  const MutexLock lock(mutex_);
  if (chores_.empty()) return nullptr;
  std::unique_ptr<Chore> chore = std::move(chores_.front());
  chores_.pop_front();
  return chore;
}

std::vector<GroupCommit::Job> GroupCommit::TakeJobs() {
  const MutexLock lock(mutex_);
  while (awaited_ > 1 && waiting_.size() < awaited_ && !stopping_) {
    const auto left = patient_until_ - parts_.clock.Steady();
    if (left.count() <= 0 || !wake_.WaitFor(mutex_, left)) awaited_ = 1;
  }
  if (waiting_.empty() && chores_.empty() && !stopping_) wake_.WaitFor(mutex_, kCacheCare);
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
    const std::unique_ptr<Chore> chore = TakeChore();
    if (!jobs.empty() || chore != nullptr) Commit(jobs, chore.get());
    if (jobs.empty() && chore == nullptr && Stopping()) return;
    if (const auto now = std::chrono::steady_clock::now(); now >= next_care) {
      parts_.cache.DropExpired();
      parts_.residents.Settle(true);
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

void GroupCommit::Commit(std::vector<Job>& jobs, Chore* chore) {
  const Moment begun = parts_.clock.Steady();
  ChoreTurn turn{chore, {}};
  Result<void> committed = CommitAgain(jobs, turn, kAttemptsTogether);
  const bool company = jobs.size() + (chore != nullptr ? 1 : 0) > 1;
  const bool apart = !committed && committed.error().code == Code::kConflict && company;
  if (!jobs.empty()) ExpectThemAgain(jobs.size(), begun);
  // Whoever of them it is that others are always faster than: it must not keep the rest.
  if (apart) {
    for (Job& job : jobs) {
      const std::span<Job> alone(&job, 1);
      ChoreTurn none;
      Finish(alone, CommitAgain(alone, none, kAttemptsAlone));
    }
    if (chore != nullptr) committed = CommitAgain({}, turn, kAttemptsAlone);
  }
  if (chore != nullptr) {
    for (const std::string& id : chore->Changed()) parts_.cache.Forget(id);
    chore->Done(committed ? turn.done : committed);
  }
  if (!apart) Finish(jobs, committed);
}

void GroupCommit::Publish(std::vector<ObjectChange> changes) {
  if (changes.empty()) return;
  std::vector<ObjectChange> recalls;
  for (const ObjectChange& change : changes) {
    if (!change.object.empty()) continue;  // a new one, which nobody else has
    std::ranges::move(parts_.sessions.holders.RecallsOf(change), std::back_inserter(recalls));
  }
  std::ranges::move(recalls, std::back_inserter(changes));
  parts_.sessions.outbox.Publish(std::move(changes));
}

void GroupCommit::Finish(std::span<Job> jobs, const Result<void>& committed) {
  if (!committed && !jobs.empty()) {
    log::Failure("a group of " + std::to_string(jobs.size()) +
                 " requests was rolled back: " + committed.error().message);
    RefuseAll(jobs, committed.error());
  }
  // Also where it failed: a commit that reports an error may have reached the disk all the same.
  for (const Job& job : jobs) {
    for (const std::string& id : job.answered.changed) parts_.cache.Forget(id);
  }
  // A conflict says that nothing happened; any other failure, that nobody knows.
  parts_.residents.Settle(committed || committed.error().code == Code::kConflict);
  parts_.random_ivs.Settle(parts_.store);
  if (ApprovalDesk* const desk = parts_.sessions.approvals) desk->Settle(committed.has_value());
  for (Job& job : jobs) {
    job.completion->Done(std::move(job.answer));
    // Behind the answer, where it is the same connection.
    if (committed) Publish(std::move(job.answered.told));
  }
}

Result<void> GroupCommit::CommitAgain(std::span<Job> jobs, ChoreTurn& turn, int most_attempts) {
  for (int attempt = 1;; ++attempt) {
    bool recorded = false;
    // Most groups meet nobody: the first attempt saves the database its answers.
    Result<void> committed = CommitAll(jobs, turn, attempt == 1, recorded);
    const bool again = !committed && committed.error().code == Code::kConflict;
    if (!again) return committed;
    TakeBack(jobs, committed.error(), recorded);
    if (attempt == most_attempts) return committed;
    // Others need a moment to be done; not all of them the same one.
    if (attempt > 2) std::this_thread::sleep_for(kPause * attempt);
  }
}

namespace {

Result<void> DoChore(Chore& chore, store::Transaction& transaction) {
  TRY(transaction.Savepoint());
  const Result<void> done = chore.Do(transaction);
  TRY(done ? transaction.Release() : transaction.RollbackTo());
  return done;
}

}  // namespace

// What the drafts took for granted: the first look at any fact shows whether it is so for all.
void GroupCommit::LookAhead(std::span<const Job> jobs, SummedTransaction& transaction) {
  for (const Job& job : jobs) {
    if (job.draft != nullptr) transaction.LookAhead(job.draft->absent);
  }
}

void GroupCommit::Answer(Job& job, SummedTransaction& transaction) {
  const std::unique_ptr<Draft> draft = std::move(job.draft);
  if (draft != nullptr) job.prepared = draft->prepared;
  // Who is not served any more since it was written is refused below.
  const bool good = draft != nullptr && !AskDoorkeeper(parts_, *job.caller);
  if (good && CarryOut(*draft, parts_, transaction)) {
    job.answered = std::move(draft->answered);
    job.answer = std::move(draft->answer);
    return;
  }
  job.answered = AnswerMessage(parts_, limits_, *job.caller, job.request, &transaction, job.answer,
                               job.admission ? &*job.admission : nullptr, job.prepared.get());
}

Result<void> GroupCommit::CommitAll(std::span<Job> jobs, ChoreTurn& turn, bool deferring,
                                    bool& recorded) {
  const std::unique_ptr<SummedTransaction> transaction = TRY(store_.BeginSummed());
  if (deferring) transaction->MayDefer();
  Doorkeeper* const doorkeeper = parts_.sessions.doorkeeper;
  const std::uint64_t judged_by = doorkeeper != nullptr ? doorkeeper->generation() : 0;
  LookAhead(jobs, *transaction);
  if (custody_ != nullptr) TRY(custody_->BeginGroup(*transaction));
  for (Job& job : jobs) {
    if (job.final) continue;
    Answer(job, *transaction);
    if (job.answered.begin_again) return Error(Code::kConflict, "another node was faster");
    job.changes = transaction->TakeChanges();
    job.completion->Expect(job.answer);
  }
  if (turn.chore != nullptr) turn.done = DoChore(*turn.chore, *transaction);
  if (custody_ != nullptr) TRY(custody_->CountSeals(*transaction));
  TRY(transaction->Settle());  // what is refused is refused before the log hears of it
  // Who was locked out meanwhile changes nothing more, however long it took until here.
  if (doorkeeper != nullptr) TRY(doorkeeper->StillHolds(*transaction, judged_by));
  recorded = true;
  TRY(Record(jobs, *transaction));
  TRY(LeaveForOtherNodes(jobs, *transaction));
  Result<void> committed = transaction->Commit();
  if (ChangeRing* const ring = parts_.sessions.change_ring) ring->Ended(committed);
  TRY(std::move(committed));
  if (custody_ != nullptr) custody_->GroupCommitted();
  return {};
}

namespace {

// Tells in the entries of a request which objects it left at which row version, so that the store
// can be held against the log (docs/integrity.md). Objects that no entry names get one of their
// own.
void NameChanges(const std::vector<RecordChange>& changes, std::uint64_t group,
                 std::vector<audit::Entry>& entries) {
  std::map<std::string, std::uint64_t> last;  // version
  for (const RecordChange& change : changes) last[change.id] = change.row_version;
  for (audit::Entry& entry : entries) {
    if (entry.outcome != audit::Outcome::kAllowed) continue;
    const auto found = last.find(entry.object_id);
    if (found == last.end()) continue;
    entry.version = found->second;
    entry.group = group;
  }
  for (const audit::Entry& entry : entries) {
    if (entry.group != 0) last.erase(entry.object_id);
  }
  if (entries.empty()) return;
  const audit::Entry about = entries.back();
  for (const auto& [id, version] : last) {
    audit::Entry entry;
    entry.time = about.time;
    entry.principal = about.principal;
    entry.address = about.address;
    entry.operation = "also-changed";
    entry.object_id = id;
    entry.outcome = audit::Outcome::kAllowed;
    entry.rule = about.rule;
    entry.request_id = about.request_id;
    entry.version = version;
    entry.group = group;
    entries.push_back(std::move(entry));
  }
}

}  // namespace

Result<void> GroupCommit::Record(std::span<Job> jobs, SummedTransaction& transaction) {
  std::vector<audit::NumberedEntry> of_changes;
  for (Job& job : jobs) {
    NameChanges(job.changes, transaction.group(), job.answered.entries);
    for (const audit::Entry& entry : job.answered.entries) {
      const std::uint64_t sequence = TRY(audit_.Append(entry));
      if (!job.answered.changed.empty()) of_changes.push_back({sequence, entry});
      parts_.sessions.holders.Note(entry);
      if (habits_ == nullptr) continue;
      if (const auto alarm = habits_->Look(entry)) TRY(audit_.Append(*alarm));
    }
  }
  TRY(audit_.Flush());
  return tail_.Put(transaction, of_changes);
}

Result<void> GroupCommit::LeaveForOtherNodes(std::span<const Job> jobs,
                                             SummedTransaction& transaction) {
  ChangeRing* const ring = parts_.sessions.change_ring;
  if (ring == nullptr) return {};
  std::vector<const ObjectChange*> changes;
  for (const Job& job : jobs) {
    for (const ObjectChange& change : job.answered.told) {
      if (change.object.empty()) changes.push_back(&change);
    }
  }
  return ring->Put(transaction, changes);
}

// Nothing of it happened; whatever the attempt took outside of the transaction goes back. A message
// that cannot be answered twice keeps its answer where it changed nothing in the store, and is
// refused where it did.
void GroupCommit::TakeBack(std::span<Job> jobs, const Error& error, bool recorded) {
  for (Job& job : jobs) {
    if (recorded) RecordFailure(job, "rolled back, to begin again: " + error.message);
    job.answered.used.GiveBack();
    if (job.admission) job.admission->use.GiveBack();
    if (!job.answered.unrepeatable || job.final) continue;
    job.final = true;
    if (job.answered.changed.empty()) continue;
    RecordFailure(job, "rolled back, and cannot begin again: " + error.message);
    job.answered = {};
    RefuseMessage(parts_.clock, job.request, kmip::ResultReason::kGeneralFailure,
                  "another change came first: begin anew", job.answer);
    job.completion->Expect(job.answer);
  }
}

void GroupCommit::RecordFailure(Job& job, const std::string& why) {
  for (audit::Entry entry : job.answered.entries) {
    entry.outcome = audit::Outcome::kFailed;
    entry.detail = why;
    // The log is what may have failed; then there is nothing left to write it to.
    if (!audit_.Append(entry)) break;
  }
}

void GroupCommit::RefuseAll(std::span<Job> jobs, const Error& error) {
  for (Job& job : jobs) {
    RecordFailure(job, "rolled back: " + error.message);
    RefuseMessage(parts_.clock, job.request, kmip::ResultReason::kGeneralFailure,
                  "the change could not be made durable", job.answer);
  }
  if (Result<void> flushed = audit_.FlushAndSync(); !flushed) {
    log::Failure("the audit log cannot be written: " + flushed.error().message);
  }
}

}  // namespace dare::engine

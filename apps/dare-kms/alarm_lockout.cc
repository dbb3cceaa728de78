#include "alarm_lockout.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace dare::kms {
namespace {

constexpr std::chrono::seconds kTryAgain{1};
constexpr char kBy[] = "alarm";

}  // namespace

AlarmLockout::AlarmLockout(registry::Lockouts& lockouts, audit::AuditLog& audit, const Clock& clock)
    : lockouts_(lockouts),
      audit_(audit),
      clock_(clock),
      thread_([this](const std::stop_token& token) {
        const std::stop_callback stop(token, [this] {
          const MutexLock lock(mutex_);
          wake_.NotifyOne();
        });
        Run(token);
      }) {}

void AlarmLockout::LockOut(const std::string& principal, const std::string& why) {
  const MutexLock lock(mutex_);
  waiting_.push_back({principal, why});
  wake_.NotifyOne();
}

void AlarmLockout::Run(const std::stop_token& token) {
  while (!token.stop_requested()) {
    Alarm alarm;
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !token.stop_requested()) wake_.Wait(mutex_);
      if (waiting_.empty()) return;
      alarm = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const Result<void> done = Act(alarm);
    if (done) continue;
    log::Failure("'" + alarm.principal + "' could not be locked out: " + done.error().message);
    const MutexLock lock(mutex_);
    waiting_.push_front(std::move(alarm));
    if (!token.stop_requested()) wake_.WaitFor(mutex_, kTryAgain);
  }
}

Result<void> AlarmLockout::Act(const Alarm& alarm) {
  using registry::Lockout;
  if (lockouts_.IsLockedOut(alarm.principal, {})) return {};  // what an administrator wrote stays
  TRY(lockouts_.Put(
      {Lockout::Kind::kPrincipal, alarm.principal, clock_.Now(), kBy, "alarm: " + alarm.why}));
  log::Failure("'" + alarm.principal + "' is locked out everywhere: " + alarm.why);
  audit::Entry entry;
  entry.time = clock_.Now();
  entry.principal = alarm.principal;
  entry.operation = "lock out";
  entry.outcome = audit::Outcome::kAllowed;
  entry.rule = "habit";
  entry.detail = "'" + alarm.principal + "': " + alarm.why;
  // It is in force whatever becomes of the entry; without a log nobody is served in any case.
  const auto record = [&]() -> Result<void> {
    TRY(audit_.Append(entry));
    return audit_.FlushAndSync();
  };
  if (const Result<void> recorded = record(); !recorded) {
    log::Failure("a lockout was not audited: " + recorded.error().message);
  }
  return {};
}

}  // namespace dare::kms

#pragma once

#include <deque>
#include <string>
#include <thread>

#include "audit/audit_log.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "registry/lockouts.h"

namespace dare::kms {

// Locks out, on every node, whoever an alarm is about ([alarm] action = "lockout"): on a thread of
// its own, because those that raise alarms may be in the middle of a transaction. What the store
// does not take is tried again. Thread-safe; the others outlive it.
class AlarmLockout {
 public:
  AlarmLockout(registry::Lockouts& lockouts, audit::AuditLog& audit, const Clock& clock);

  // Returns at once. `why` becomes the lockout's reason.
  void LockOut(const std::string& principal, const std::string& why) EXCLUDES(mutex_);

 private:
  struct Alarm {
    std::string principal, why;
  };
  void Run(const std::stop_token& token) EXCLUDES(mutex_);
  Result<void> Act(const Alarm& alarm);

  registry::Lockouts& lockouts_;
  audit::AuditLog& audit_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<Alarm> waiting_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses the others
};

}  // namespace dare::kms

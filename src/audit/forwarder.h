#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "audit/audit_log.h"
#include "audit/syslog_place.h"
#include "base/mutex.h"

namespace dare::audit {

// An entry as a message of RFC 5424: facility 13 (log audit), severity informational where it was
// allowed, warning where it was denied, notice where it failed; its text is the line as it stands
// in the log. kDamaged: not a line of ours.
Result<std::string> SyslogEntry(std::string_view line, std::string_view node);

struct ForwarderOptions {
  std::string folder;                     // of the log
  std::string node;                       //
  std::string place;                      // SyslogPlace::Make's
  std::uint64_t most_behind = 1'000'000;  // entries that wait for a collector that is away
  std::chrono::milliseconds look{200};    // how often is looked for new ones
  std::chrono::milliseconds retry{1000};  // and for a collector that is away
};

// A Forwarder sends each entry to a collector, on a thread of its own, once it is on the disk.
// What waits is the log itself: nobody waits for the collector, and no memory grows. Where more
// than `most_behind` wait, the oldest are passed over, counted, and the collector is told how many.
// How far it was is kept beside the log, so that a restart goes on there; after a crash some
// entries may be sent twice. Thread-safe.
class Forwarder {
 public:
  struct Status {
    std::uint64_t sent = 0;        // entries up to this one were sent or passed over
    std::uint64_t lost = 0;        // passed over, since the start
    std::optional<Error> failure;  // why nothing is sent
  };

  // Begins behind the entries that the log has, where it was never sent to this place. kIo,
  // kInvalidArgument: the place.
  static Result<std::unique_ptr<Forwarder>> Start(const ForwarderOptions& options, AuditLog& log);
  ~Forwarder();  // sends what is there, if that can be done at once
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  Status status() const EXCLUDES(mutex_);

 private:
  Forwarder(const ForwarderOptions& options, AuditLog& log, std::unique_ptr<SyslogPlace> place);
  Result<void> LoadPosition();
  Result<void> SavePosition();
  void Run(const std::stop_token& stop) EXCLUDES(wake_mutex_, mutex_);
  Result<void> SendNew(const std::stop_token& stop) EXCLUDES(mutex_);
  Result<void> SendLine(const std::string& line) EXCLUDES(mutex_);
  void PassOver(std::uint64_t up_to) EXCLUDES(mutex_);
  Result<void> TellLost() EXCLUDES(mutex_);
  void Note(const Result<void>& sent) EXCLUDES(mutex_);

  const ForwarderOptions options_;
  AuditLog& log_;
  const std::string position_file_;

  // Of Start, then of the thread, then of the destructor.
  std::unique_ptr<SyslogPlace> place_;
  std::uint64_t sent_ = 0;
  std::uint64_t saved_ = 0;
  std::uint64_t untold_ = 0;  // passed over, and the collector does not know

  mutable Mutex mutex_;
  Status status_ GUARDED_BY(mutex_);

  Mutex wake_mutex_;
  CondVar wake_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace dare::audit

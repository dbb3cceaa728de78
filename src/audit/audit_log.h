#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "audit/entry.h"
#include "audit/line.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mutex.h"

namespace dare::audit {

struct AuditOptions {
  std::string folder;                     // made (0700) where it is missing
  std::size_t segment_bytes = 64u << 20;  // a new file is begun past this size
  std::chrono::milliseconds sync_interval{
      100};  // how long an entry may be written but not yet synced
  bool sync_each_flush =
      false;  // Flush is FlushAndSync: reads, too, are on the disk before their answer
};

// An AuditLog appends every decision to a chain of lines: each carries a sequence number without
// gaps and the hash of the line before, so that a line that is edited, removed, inserted or moved
// shows (verify.h). The files are 0600.
//
// It fails closed. When the log cannot be written, Append, Flush and FlushAndSync return an error
// and the caller must not do, or must not answer, what it asked to record. A full disk heals by
// itself: the log goes on where it stopped and says so in an entry. After a failed sync nobody
// knows what the disk holds, so the log stays shut until it is opened anew.
//
// Thread-safe. One process at a time has a folder open.
class AuditLog {
 public:
  // Goes on after the last line. What is there is on the disk when it returns; a torn last line (a
  // crash inside a write) is cut off and noted when the log begins to be used. kUnavailable:
  // another process has it. kDamaged: the last line is not ours; look at it with Verify.
  static Result<std::unique_ptr<AuditLog>> Open(const AuditOptions& options, const Clock& clock);
  ~AuditLog();  // writes and syncs what is left
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // Appends again, marked as such and synced, those of `held` (ascending) that a power failure took
  // from the log: entries that a store kept beside the changes they record. For a log that was just
  // opened, before anything else is appended. Returns how many.
  Result<std::size_t> Recover(std::span<const NumberedEntry> held)
      EXCLUDES(file_mutex_, mutex_, sync_mutex_);
  // Chains the entry into memory: no system call. It is in the log only after Flush. Returns its
  // sequence number.
  Result<std::uint64_t> Append(const Entry& entry) EXCLUDES(mutex_);
  // Everything appended so far is in the file, in one write for all threads that wait: call it
  // before an answer leaves. The disk has it within `sync_interval`, or at once with
  // `sync_each_flush`.
  Result<void> Flush() EXCLUDES(file_mutex_, mutex_, sync_mutex_);
  // Everything appended so far is on the disk: call it before a change is acknowledged.
  Result<void> FlushAndSync() EXCLUDES(file_mutex_, mutex_, sync_mutex_);

  // Lines up to this one are on the disk.
  std::uint64_t synced() const { return synced_; }
  // Why the log takes nothing at the moment, for health; nothing when all is well.
  std::optional<Error> failure() const EXCLUDES(mutex_);

 private:
  AuditLog(const AuditOptions& options, const Clock& clock, FileDescriptor lock);

  Result<void> Start() EXCLUDES(file_mutex_, mutex_, sync_mutex_);
  Result<void> OpenSegment(std::uint64_t number, std::uint64_t size) REQUIRES(file_mutex_)
      EXCLUDES(sync_mutex_);
  Result<void> WriteOut() EXCLUDES(file_mutex_, mutex_, sync_mutex_);
  Result<void> FlushLocked() REQUIRES(file_mutex_) EXCLUDES(mutex_, sync_mutex_);
  Result<void> WritePending() REQUIRES(file_mutex_);
  Result<void> CutTornLine() REQUIRES(file_mutex_);
  void KeepRoom() REQUIRES(file_mutex_);
  void Begin() REQUIRES(mutex_);
  bool begun() const EXCLUDES(mutex_);
  Result<void> Sync() EXCLUDES(sync_mutex_, mutex_);
  void BeginNextSegment() REQUIRES(file_mutex_) EXCLUDES(mutex_, sync_mutex_);
  void Chain(std::string_view body) REQUIRES(mutex_);
  void ChainNote(std::string operation, std::string detail) REQUIRES(mutex_);
  void NoteWriteFailure(const Error& error) EXCLUDES(mutex_);
  void NoteWriteSuccess() EXCLUDES(mutex_);
  void NoteSyncFailure(const Error& error) EXCLUDES(mutex_);
  void SyncFromTimeToTime(const std::stop_token& stop) EXCLUDES(wake_mutex_);

  const AuditOptions options_;
  const Clock& clock_;
  const FileDescriptor lock_;  // flock while we live

  // Locks are taken in this order: file_mutex_, then sync_mutex_ or mutex_.
  Mutex file_mutex_;
  FileDescriptor file_ GUARDED_BY(file_mutex_);
  std::uint64_t segment_ GUARDED_BY(file_mutex_) = 0;
  std::uint64_t segment_size_ GUARDED_BY(file_mutex_) = 0;
  std::uint64_t room_ GUARDED_BY(file_mutex_) = 0;  // up to here the disk has room set aside
  std::string pending_ GUARDED_BY(file_mutex_);     // taken from buffer_, not written yet
  bool is_torn_ GUARDED_BY(file_mutex_) = false;    // more than segment_size_ bytes are in the file
  bool rotation_failed_ GUARDED_BY(file_mutex_) = false;

  Mutex sync_mutex_;  // apart from file_mutex_, so that nobody's Flush waits for a disk
  FileDescriptor sync_file_ GUARDED_BY(sync_mutex_);  // the same file as file_
  std::atomic<bool> unsynced_ = false;
  std::atomic<std::uint64_t> written_ = 0;  // the last line that is in the file
  std::atomic<std::uint64_t> synced_ = 0;

  mutable Mutex mutex_;                    // held while a line is chained
  bool begun_ GUARDED_BY(mutex_) = false;  // something was appended since the log was opened
  std::uint64_t torn_bytes_ GUARDED_BY(mutex_) = 0;  // cut off, and to be noted when it begins
  std::string buffer_ GUARDED_BY(mutex_);
  std::uint64_t sequence_ GUARDED_BY(mutex_) = 0;  // of the last line
  LineHash previous_ GUARDED_BY(mutex_);
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  bool failure_lasts_ GUARDED_BY(mutex_) = false;
  std::uint64_t refused_up_to_ GUARDED_BY(mutex_) =
      0;  // last line that a failed write may have kept back

  Mutex wake_mutex_;
  CondVar wake_;
  std::jthread syncer_;  // last: it uses all of the above
};

}  // namespace dare::audit

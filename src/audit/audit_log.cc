#include "audit/audit_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "audit/segment.h"
#include "base/log.h"

namespace dare::audit {
namespace {

// Far more than a disk that works leaves waiting; a bound on memory should one hang.
constexpr std::size_t kMostBufferedBytes = 64u << 20;
constexpr std::uint64_t kRoomAhead = 1u << 20;  // set aside on the disk, some 3,000 lines

Error WriteFailed(int errno_value) {
  Error error = IoError("the audit log cannot be written", errno_value);
  if (errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG) {
    error.code = Code::kExhausted;
  }
  return error;
}

Result<FileDescriptor> LockFolder(const std::string& folder) {
  FileDescriptor fd(::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return IoError("cannot open " + folder + "/lock", errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) {
    return Error(Code::kUnavailable, "another process writes the audit log in " + folder);
  }
  return IoError("cannot lock " + folder, errno);
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::Open(const AuditOptions& options, const Clock& clock) {
  TRY(MakeFolders(options.folder, 0700));
  FileDescriptor lock = TRY(LockFolder(options.folder));
  std::unique_ptr<AuditLog> log(new AuditLog(options, clock, std::move(lock)));
  TRY(log->Start());
  return log;
}

AuditLog::AuditLog(const AuditOptions& options, const Clock& clock, FileDescriptor lock)
    : options_(options), clock_(clock), lock_(std::move(lock)) {}

AuditLog::~AuditLog() {
  if (!syncer_.joinable()) return;  // never started
  syncer_.request_stop();
  {
    const MutexLock lock(wake_mutex_);
    wake_.NotifyAll();
  }
  syncer_.join();
  if (begun()) (void)FlushAndSync();  // a failure has been logged when it began
}

Result<void> AuditLog::Start() {
  const LogEnd end = TRY(FindEnd(options_.folder));
  {
    const MutexLock file_lock(file_mutex_);
    TRY(OpenSegment(end.segment, end.segment_size));
    is_torn_ = end.torn_bytes != 0;
    const MutexLock lock(mutex_);
    sequence_ = end.sequence;
    previous_ = end.hash;
    torn_bytes_ = end.torn_bytes;
    // A killed process may have left lines that only the kernel knows.
    written_ = end.sequence;
    unsynced_ = true;
  }
  TRY(Sync());
  syncer_ = std::jthread([this](const std::stop_token& stop) { SyncFromTimeToTime(stop); });
  return {};
}

// Opens or makes the segment, which has `size` bytes of whole lines.
Result<void> AuditLog::OpenSegment(std::uint64_t number, std::uint64_t size) {
  const std::string path = options_.folder + "/" + SegmentName(number);
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return IoError("cannot open " + path, errno);
  FileDescriptor second(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
  if (!second) return IoError("cannot open " + path, errno);
  TRY(SyncFolder(options_.folder));
  const MutexLock lock(sync_mutex_);
  file_ = std::move(file);
  sync_file_ = std::move(second);
  segment_ = number;
  segment_size_ = size;
  room_ = 0;
  KeepRoom();
  return {};
}

Result<std::size_t> AuditLog::Recover(std::span<const NumberedEntry> held) {
  std::size_t lost = 0;
  {
    const MutexLock lock(mutex_);
    if (failure_) return *failure_;
    const std::uint64_t end = sequence_;
    // Before any note: each entry then has at most the number that it had, so that a second power
    // failure in the middle of this cannot pass a note off as one of them.
    for (const NumberedEntry& one : held) {
      if (one.sequence <= end) continue;
      Entry again = one.entry;
      again.detail = "recovered, was entry " + std::to_string(one.sequence);
      if (!one.entry.detail.empty()) again.detail.append("; ").append(one.entry.detail);
      std::string body;
      AppendBody(body, again);
      Chain(body);
      ++lost;
    }
    Begin();
    if (lost != 0) {
      ChainNote("audit-recovered", std::to_string(lost) +
                                       " entries of changes, lost with the power, were appended "
                                       "again from the key store; entries of reads between " +
                                       std::to_string(end) + " and " +
                                       std::to_string(held.back().sequence) + " may be lost");
    }
  }
  TRY(FlushAndSync());
  return lost;
}

// The first use of a log that was opened.
void AuditLog::Begin() {
  if (std::exchange(begun_, true) || torn_bytes_ == 0) return;
  ChainNote("audit-recovered", "a last line that a crash cut off after " +
                                   std::to_string(torn_bytes_) + " bytes was removed");
}

bool AuditLog::begun() const {
  const MutexLock lock(mutex_);
  return begun_;
}

Result<std::uint64_t> AuditLog::Append(const Entry& entry) {
  thread_local std::string body;  // made outside the lock
  body.clear();
  AppendBody(body, entry);
  const MutexLock lock(mutex_);
  if (failure_) return *failure_;
  if (buffer_.size() > kMostBufferedBytes) {
    return Error(Code::kExhausted, "the audit log is written too slowly");
  }
  Begin();
  Chain(body);
  return sequence_;
}

void AuditLog::Chain(std::string_view body) {
  const std::size_t start = buffer_.size();
  AppendHead(buffer_, ++sequence_, previous_);
  buffer_ += body;
  previous_ = HashOf(std::string_view(buffer_).substr(start));
  buffer_ += '\n';
}

void AuditLog::ChainNote(std::string operation, std::string detail) {
  Entry entry;
  entry.time = clock_.Now();
  entry.principal = "dare-kms";
  entry.operation = std::move(operation);
  entry.outcome = Outcome::kFailed;
  entry.detail = std::move(detail);
  std::string body;
  AppendBody(body, entry);
  Chain(body);
}

Result<void> AuditLog::Flush() {
  TRY(WriteOut());
  if (options_.sync_each_flush) return Sync();
  return {};
}

Result<void> AuditLog::WriteOut() {
  const MutexLock lock(file_mutex_);
  return FlushLocked();
}

Result<void> AuditLog::FlushLocked() {
  std::uint64_t last = 0;
  {
    const MutexLock lock(mutex_);
    if (failure_lasts_) return *failure_;
    last = sequence_;
    if (pending_.empty()) {
      pending_.swap(buffer_);
    } else {
      pending_ += buffer_;
      buffer_.clear();
    }
  }
  if (pending_.empty()) return {};
  if (auto written = WritePending(); !written) {
    NoteWriteFailure(written.error());
    return written;
  }
  written_ = last;
  NoteWriteSuccess();
  if (segment_size_ >= options_.segment_bytes) BeginNextSegment();
  return {};
}

// What was written leaves pending_, so that a second try goes on in the middle of a line if need
// be.
Result<void> AuditLog::WritePending() {
  TRY(CutTornLine());
  KeepRoom();
  std::size_t done = 0;
  int failed = 0;
  while (done < pending_.size() && failed == 0) {
    const ssize_t n = ::write(file_.get(), pending_.data() + done, pending_.size() - done);
    if (n >= 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      failed = errno;
    }
  }
  pending_.erase(0, done);
  segment_size_ += done;
  if (done != 0) unsynced_ = true;
  if (failed != 0) return WriteFailed(failed);
  return {};
}

// Sets room aside on the disk, so that on a full one changes fail for want of room in the store
// while reads, which need only their lines here, go on for thousands of lines more. Where the file
// system cannot, or has no room left, writing itself will tell.
void AuditLog::KeepRoom() {
  if (segment_size_ + kRoomAhead / 2 <= room_) return;
  if (::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(segment_size_),
                  static_cast<off_t>(kRoomAhead)) == 0) {
    room_ = segment_size_ + kRoomAhead;
  }
}

Result<void> AuditLog::CutTornLine() {
  if (!is_torn_) return {};
  if (::ftruncate(file_.get(), static_cast<off_t>(segment_size_)) != 0) return WriteFailed(errno);
  is_torn_ = false;
  room_ = 0;  // it went with the cut
  return {};
}

void AuditLog::NoteWriteFailure(const Error& error) {
  const MutexLock lock(mutex_);
  if (failure_) return;
  failure_ = error;
  // Anything from here on may have been kept back; how much of it was written does not matter to a
  // reader.
  refused_up_to_ = sequence_;
  log::Failure(error.message + "; every operation is refused until it can");
}

void AuditLog::NoteWriteSuccess() {
  const MutexLock lock(mutex_);
  if (!failure_ || failure_lasts_) return;
  failure_.reset();
  ChainNote("audit-resumed", "the log could not be written; what entries up to " +
                                 std::to_string(refused_up_to_) + " allowed may have been refused");
  log::Info("the audit log can be written again");
}

Result<void> AuditLog::FlushAndSync() {
  TRY(WriteOut());
  return Sync();
}

Result<void> AuditLog::Sync() {
  const MutexLock lock(sync_mutex_);
  const std::uint64_t written = written_;  // at least so far will be on the disk
  if (unsynced_.exchange(false) && ::fdatasync(sync_file_.get()) != 0) {
    NoteSyncFailure(IoError("the audit log cannot be synced", errno));
  }
  const MutexLock chain_lock(mutex_);
  if (failure_lasts_) return *failure_;
  synced_ = written;
  return {};
}

void AuditLog::NoteSyncFailure(const Error& error) {
  const MutexLock lock(mutex_);
  failure_ = error;
  failure_lasts_ = true;
  log::Failure(error.message + "; every operation is refused until a restart");
}

// The old segment is on the disk before the new one has its first line, so only the last one can be
// torn. Where the new one cannot be made, the old one simply grows.
void AuditLog::BeginNextSegment() {
  Result<void> begun = Sync();
  if (begun) begun = OpenSegment(segment_ + 1, 0);
  if (!begun && !std::exchange(rotation_failed_, true)) {
    log::Warning("cannot begin the next audit file: " + begun.error().message);
  }
  if (begun) rotation_failed_ = false;
}

std::optional<Error> AuditLog::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

// Syncs what readers' answers left written, and tries again after a failed write.
void AuditLog::SyncFromTimeToTime(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      const MutexLock lock(wake_mutex_);
      if (stop.stop_requested()) return;
      wake_.WaitFor(wake_mutex_, options_.sync_interval);
    }
    if (begun()) (void)FlushAndSync();  // logged when it fails
  }
}

}  // namespace dare::audit

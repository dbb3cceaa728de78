#include "envelope/io.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "base/file.h"

namespace dare::envelope {
namespace {

constexpr int kPollMilliseconds = 200;  // how soon a cancellation is seen
// What is handed to the disk at once: long runs of blocks, and soon.
constexpr std::uint64_t kWindow = 16u << 20;

// Waits until `fd` is ready or the flow is cancelled. Without a flag there is nothing to watch.
Result<void> WaitFor(int fd, short events, const std::string& name,
                     const std::atomic<bool>* cancelled) {
  if (cancelled == nullptr) return {};
  for (;;) {
    if (cancelled->load(std::memory_order_relaxed)) return Cancelled();
    pollfd ready{fd, events, 0};
    const int n = ::poll(&ready, 1, kPollMilliseconds);
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return IoError("cannot wait for " + name, errno);
  }
}

// Writes to a pipe or socket as much as there is room for. A plain write() would wait there for
// room for all of it, and a signal wakes only the thread that it is delivered to. The mode of `fd`
// itself stays: other programs may have it, too.
class Outlet {
 public:
  explicit Outlet(int fd) : fd_(fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return;
    socket_ = S_ISSOCK(status.st_mode);
    if (!S_ISFIFO(status.st_mode)) return;
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    pipe_ = FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  }
  ssize_t Write(ByteView bytes) const {
    if (socket_) return ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return ::write(pipe_ ? pipe_.get() : fd_, bytes.data(), bytes.size());
  }

 private:
  int fd_;
  bool socket_ = false;
  FileDescriptor pipe_;  // none where it may not be opened anew: a pipe of another user
};

}  // namespace

Error Cancelled() { return Error(Code::kIo, "interrupted", EINTR); }

Result<std::size_t> MemorySource::Read(MutableBytes buffer) {
  const std::size_t n = std::min(buffer.size(), rest_.size());
  if (n != 0) std::memcpy(buffer.data(), rest_.data(), n);
  rest_ = rest_.subspan(n);
  return n;
}

Result<void> MemorySink::Write(ByteView bytes) {
  Append(bytes_, bytes);
  return {};
}

Result<std::size_t> FdSource::Read(MutableBytes buffer) {
  std::size_t have = 0;
  while (have < buffer.size()) {
    TRY(WaitFor(fd_, POLLIN, name_, cancelled_));
    const ssize_t n = ::read(fd_, buffer.data() + have, buffer.size() - have);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return IoError("cannot read " + name_, errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  return have;
}

Result<void> FdSink::Write(ByteView bytes) {
  std::optional<Outlet> outlet;  // only where somebody may want us to stop waiting
  if (cancelled_ != nullptr) outlet.emplace(fd_);
  while (!bytes.empty()) {
    TRY(WaitFor(fd_, POLLOUT, name_, cancelled_));
    const ssize_t n = outlet ? outlet->Write(bytes) : ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return IoError("cannot write " + name_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<FileReader> FileReader::Create(int fd, std::string name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return IoError("cannot stat " + name, errno);
  return FileReader(fd, std::move(name), static_cast<std::uint64_t>(status.st_size));
}

Result<std::size_t> FileReader::ReadAt(std::uint64_t offset, MutableBytes buffer) const {
  std::size_t have = 0;
  while (have < buffer.size()) {
    const ssize_t n =
        ::pread(fd_, buffer.data() + have, buffer.size() - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("cannot read " + name_, errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  return have;
}

Result<void> FileWriter::WriteAt(std::uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("cannot write " + name_, errno);
    const std::uint64_t begin = std::exchange(offset, offset + static_cast<std::uint64_t>(n));
    if (begin / kWindow != offset / kWindow) StartWriting(begin / kWindow * kWindow);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

// The disk works while the next frames are encrypted, and little is left to wait for when the file
// is synced; the kernel alone would begin when a tenth of the memory waits to be written. A hint:
// what it does not reach, or fails at, is met by the sync.
void FileWriter::StartWriting(std::uint64_t window) const {
  ::sync_file_range(fd_, static_cast<off_t>(window), kWindow, SYNC_FILE_RANGE_WRITE);
}

Result<std::size_t> ReaderSource::Read(MutableBytes buffer) {
  const std::size_t n = TRY(reader_.ReadAt(offset_, buffer));
  offset_ += n;
  return n;
}

}  // namespace dare::envelope

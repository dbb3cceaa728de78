#include "audit/checkpoint_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "audit/line_reader.h"

namespace dare::audit {
namespace {

Error WriteFailed(const std::string& path, int errno_value) {
  Error error = IoError("cannot write " + path, errno_value);
  if (errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG) {
    error.code = Code::kExhausted;
  }
  return error;
}

// Where the last seven whole lines of `bytes` begin; nothing when there are fewer.
std::optional<std::size_t> StartOfLast(std::string_view bytes) {
  std::size_t at = bytes.size();
  for (std::size_t line = 0; line < kCheckpointLines; ++line) {
    if (at == 0) return std::nullopt;
    const std::size_t newline = at == 1 ? std::string_view::npos : bytes.rfind('\n', at - 2);
    at = newline == std::string_view::npos ? 0 : newline + 1;
  }
  return at;
}

// The last line of a checkpoint is the only one that begins so.
std::size_t EndOfWhole(std::string_view bytes) {
  constexpr std::string_view kMark = "\n\n\xE2\x80\x94 ";
  for (std::size_t at = bytes.rfind(kMark); at != std::string_view::npos && at != 0;
       at = bytes.rfind(kMark, at - 1)) {
    const std::size_t newline = bytes.find('\n', at + kMark.size());
    if (newline != std::string_view::npos) return newline + 1;
  }
  return 0;
}

}  // namespace

Result<CheckpointFile> CheckpointFile::Open(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) return IoError("cannot open " + path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Error(Code::kUnavailable, "another process writes " + path);
    return IoError("cannot lock " + path, errno);
  }
  TRY(SyncFolder(FolderOf(path)));
  CheckpointFile file(std::move(fd), path);
  TRY(file.FindEnd());
  return file;
}

Result<void> CheckpointFile::FindEnd() {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) return IoError("cannot stat " + path_, errno);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::string tail(std::min<std::uint64_t>(size, 2 * kMostCheckpointBytes), '\0');
  const std::uint64_t at = size - tail.size();
  for (std::size_t have = 0; have < tail.size();) {
    const ssize_t n =
        ::pread(file_.get(), tail.data() + have, tail.size() - have, static_cast<off_t>(at + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return IoError("cannot read " + path_, n < 0 ? errno : EIO);
    have += static_cast<std::size_t>(n);
  }
  tail.resize(EndOfWhole(tail));
  size_ = tail.empty() ? 0 : at + tail.size();
  if (tail.empty() && at != 0)
    return Error(Code::kDamaged, path_ + " does not end in a checkpoint");
  if (!tail.empty()) {
    const std::optional<std::size_t> start = StartOfLast(tail);
    Result<SignedCheckpoint> last =
        ParseCheckpoint(std::string_view(tail).substr(start.value_or(0)));
    if (!last) return Error(Code::kDamaged, path_ + ", at its end: " + last.error().message);
    last_ = *std::move(last);
  }
  is_torn_ = size_ != size;
  return CutBack();
}

Result<void> CheckpointFile::CutBack() {
  if (!is_torn_) return {};
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) return WriteFailed(path_, errno);
  is_torn_ = false;
  return {};
}

Result<void> CheckpointFile::Append(const std::string& text) {
  SignedCheckpoint parsed = TRY(ParseCheckpoint(text));
  TRY(CutBack());
  std::size_t done = 0;
  int failed = 0;
  while (done < text.size() && failed == 0) {
    const ssize_t n = ::write(file_.get(), text.data() + done, text.size() - done);
    if (n >= 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      failed = errno;
    }
  }
  if (failed == 0 && ::fdatasync(file_.get()) != 0) failed = errno;
  if (failed != 0) {
    is_torn_ = done != 0;
    (void)CutBack();  // else before the next one
    return WriteFailed(path_, failed);
  }
  size_ += text.size();
  last_ = std::move(parsed);
  return {};
}

Result<void> ReadCheckpoints(const std::string& path,
                             const std::function<Result<void>(const SignedCheckpoint&)>& visit) {
  LineReader reader = TRY(LineReader::Open(path));
  for (std::uint64_t at = 1;; at += kCheckpointLines) {
    std::string text;
    for (std::size_t i = 0; i < kCheckpointLines; ++i) {
      const std::optional<std::string_view> line = TRY(reader.Next());
      if (!line) return {};
      text.append(*line) += '\n';
      if (text.size() > kMostCheckpointBytes) {
        return Error(Code::kMalformed, path + ":" + std::to_string(at) + ": not a checkpoint");
      }
    }
    const Result<SignedCheckpoint> parsed = ParseCheckpoint(text);
    if (!parsed) {
      return Error(Code::kMalformed,
                   path + ":" + std::to_string(at) + ": " + parsed.error().message);
    }
    TRY(visit(*parsed));
  }
}

}  // namespace dare::audit

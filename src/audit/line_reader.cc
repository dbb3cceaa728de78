#include "audit/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "audit/line.h"

namespace dare::audit {
namespace {

constexpr std::size_t kChunkBytes = 256u << 10;

}  // namespace

Result<LineReader> LineReader::Open(const std::string& path, std::uint64_t offset) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return IoError("cannot open " + path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return IoError("cannot stat " + path, errno);
  if (offset != 0 && static_cast<std::uint64_t>(status.st_size) < offset) {
    return Error(Code::kDamaged, path + " is shorter than it was");
  }
  if (offset != 0 && ::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    return IoError("cannot read " + path, errno);
  }
  return LineReader(std::move(file), path, offset);
}

Result<std::optional<std::string_view>> LineReader::Next() {
  while (true) {
    const std::size_t newline = buffer_.find('\n', scanned_);
    if (newline != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(start_, newline - start_);
      offset_ += line.size() + 1;
      start_ = scanned_ = newline + 1;
      return line;
    }
    scanned_ = buffer_.size();
    if (scanned_ - start_ > kMostLineBytes) {
      return Error(Code::kDamaged, "a line is longer than any of ours");
    }
    if (!TRY(ReadMore())) return std::optional<std::string_view>();
  }
}

// False at the end of the file.
Result<bool> LineReader::ReadMore() {
  buffer_.erase(0, start_);
  scanned_ -= start_;
  start_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kChunkBytes);
  ssize_t n = 0;
  do {
    n = ::read(file_.get(), buffer_.data() + before, kChunkBytes);
  } while (n < 0 && errno == EINTR);
  const int failed = errno;
  buffer_.resize(before + static_cast<std::size_t>(n < 0 ? 0 : n));
  if (n < 0) return IoError("cannot read " + path_, failed);
  return n != 0;
}

}  // namespace dare::audit

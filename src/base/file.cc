#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace dare {
namespace {

Result<void> WriteAll(int fd, ByteView content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("cannot write " + path, errno);
    content = content.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

bool InCredentialsFolder(const std::string& path) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  return folder != nullptr && path.starts_with(std::string(folder) + "/");
}

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileDescriptor::~FileDescriptor() { Close(); }

int FileDescriptor::Release() { return std::exchange(fd_, -1); }

void FileDescriptor::Close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<Bytes> ReadFile(const std::string& path, std::size_t limit) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return IoError("cannot open " + path, errno);
  Bytes content;
  std::uint8_t buffer[16384];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("cannot read " + path, errno);
    if (n == 0) return content;
    if (content.size() + static_cast<std::size_t>(n) > limit) {
      return Error(Code::kTooLarge, path + " is larger than " + std::to_string(limit) + " bytes");
    }
    Append(content, {buffer, static_cast<std::size_t>(n)});
  }
}

Result<SecretBytes> ReadSecretFile(const std::string& path, bool trim, std::size_t limit) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return IoError("cannot open " + path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return IoError("cannot stat " + path, errno);
  if (!S_ISREG(status.st_mode)) return Error(Code::kDenied, path + " is not a regular file");
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return Error(Code::kDenied, path + " holds a secret but belongs to another user");
  }
  if ((status.st_mode & 077) != 0 && !InCredentialsFolder(path)) {
    return Error(Code::kDenied,
                 path + " holds a secret but group or others may access it; chmod 600 it");
  }
  if (static_cast<std::size_t>(status.st_size) > limit) {
    return Error(Code::kTooLarge, path + " is larger than " + std::to_string(limit) + " bytes");
  }
  SecretBytes content = TRY(SecretBytes::OfSize(static_cast<std::size_t>(status.st_size)));
  std::size_t have = 0;
  while (have < content.size()) {
    const ssize_t n =
        ::read(fd.get(), content.RevealMutable().data() + have, content.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("cannot read " + path, errno);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (trim && have > 0 && content.Reveal()[have - 1] == '\n') --have;
  if (have == content.size()) return content;
  return SecretBytes::CopyOf(content.Reveal().first(have));
}

Result<void> WriteFileDurably(const std::string& path, ByteView content, mode_t mode,
                              bool replace) {
  std::string temporary = path + ".tmp.XXXXXX";
  FileDescriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return IoError("cannot create a file in " + FolderOf(path), errno);
  auto write = [&]() -> Result<void> {
    if (::fchmod(fd.get(), mode) != 0) return IoError("cannot chmod " + temporary, errno);
    TRY(WriteAll(fd.get(), content, path));
    if (::fsync(fd.get()) != 0) return IoError("cannot sync " + path, errno);
    if (replace) {
      if (::rename(temporary.c_str(), path.c_str()) != 0)
        return IoError("cannot write " + path, errno);
    } else {
      if (::link(temporary.c_str(), path.c_str()) != 0) {
        if (errno == EEXIST) return Error(Code::kAlreadyExists, path + " exists");
        return IoError("cannot write " + path, errno);
      }
      ::unlink(temporary.c_str());
    }
    return SyncFolder(FolderOf(path));
  };
  Result<void> result = write();
  if (!result) ::unlink(temporary.c_str());
  return result;
}

Result<void> MakeFolders(const std::string& path, mode_t mode) {
  std::string made;
  for (std::size_t i = 0; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') continue;
    made = path.substr(0, i);
    if (made.empty() || made == ".") continue;
    if (::mkdir(made.c_str(), mode) != 0 && errno != EEXIST) {
      return IoError("cannot make folder " + made, errno);
    }
  }
  return {};
}

bool FileExists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<void> SyncFolder(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return IoError("cannot open " + path, errno);
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return IoError("cannot sync " + path, errno);
  return {};
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace dare

#include "envelope/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <utility>

#include "base/uuid.h"

namespace dare::envelope {
namespace {

Error Exists(const std::string& path) { return Error(Code::kAlreadyExists, path + " exists"); }

// The file a symbolic link leads to, so that replacing keeps the link; `path` itself otherwise.
std::string Resolve(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) != nullptr ? std::string(resolved) : path;
}

std::string DescriptorPath(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

}  // namespace

Result<OutputFile> OutputFile::Create(const std::string& path, bool replace) {
  OutputFile file(path, replace);
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return Error(Code::kInvalidArgument, path + " is a folder");
    if (!S_ISREG(status.st_mode)) {
      file.regular_ = false;
      file.fd_ = FileDescriptor(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
      if (!file.fd_) return IoError("cannot open " + path, errno);
      return file;
    }
    if (!replace) return Exists(path);
    file.path_ = Resolve(path);
  }
  if (!file.OpenUnnamed()) TRY(file.OpenNamed());
  return file;
}

Result<void> OutputFile::OpenUnnamed() {
  fd_ = FileDescriptor(::open(FolderOf(path_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd_) return IoError("cannot create " + path_, errno);
  // Naming it later goes through /proc.
  if (::access(DescriptorPath(fd_.get()).c_str(), F_OK) == 0) return {};
  fd_.Close();
  return IoError("cannot create " + path_, ENOENT);
}

Result<void> OutputFile::OpenNamed() {
  std::string name = path_ + ".tmp.XXXXXX";
  fd_ = FileDescriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd_) return IoError("cannot create " + path_, errno);
  temporary_ = std::move(name);
  return {};
}

OutputFile::~OutputFile() {
  if (fd_ && !temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> OutputFile::TakeOver(const struct stat& source) {
  if (::geteuid() == 0 && ::fchown(fd_.get(), source.st_uid, source.st_gid) != 0) {
    return IoError("cannot give " + path_ + " its owner", errno);
  }
  // Never setuid, setgid or sticky bits: the content is another one.
  if (::fchmod(fd_.get(), source.st_mode & 0777) != 0) {
    return IoError("cannot give " + path_ + " its mode", errno);
  }
  const struct timespec times[2] = {source.st_atim, source.st_mtim};
  if (::futimens(fd_.get(), times) != 0)
    return IoError("cannot give " + path_ + " its times", errno);
  return {};
}

Result<void> OutputFile::Commit(const std::optional<struct stat>& source, mode_t mode) {
  if (!regular_) return {};
  if (source) {
    TRY(TakeOver(*source));
  } else if (::fchmod(fd_.get(), mode) != 0) {
    return IoError("cannot give " + path_ + " its mode", errno);
  }
  if (::fsync(fd_.get()) != 0) return IoError("cannot sync " + path_, errno);
  TRY(Link());
  return SyncFolder(FolderOf(path_));
}

// link() fails where a file exists, rename() replaces it: both are atomic.
Result<void> OutputFile::Link() {
  if (temporary_.empty()) {
    if (!replace_) return LinkUnnamed();
    // An unnamed file cannot replace another one; it gets a temporary name first.
    const std::string wanted = std::exchange(path_, path_ + ".tmp." + TRY(NewUuid()));
    const Result<void> linked = LinkUnnamed();
    temporary_ = std::exchange(path_, wanted);
    if (!linked) {
      temporary_.clear();
      return linked.error();
    }
  }
  if (replace_) {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
      return IoError("cannot write " + path_, errno);
    }
    temporary_.clear();
    return {};
  }
  if (::link(temporary_.c_str(), path_.c_str()) != 0) {
    return errno == EEXIST ? Exists(path_) : IoError("cannot write " + path_, errno);
  }
  return {};  // the destructor takes the temporary name away
}

Result<void> OutputFile::LinkUnnamed() {
  if (::linkat(AT_FDCWD, DescriptorPath(fd_.get()).c_str(), AT_FDCWD, path_.c_str(),
               AT_SYMLINK_FOLLOW) == 0) {
    return {};
  }
  return errno == EEXIST ? Exists(path_) : IoError("cannot write " + path_, errno);
}

}  // namespace dare::envelope

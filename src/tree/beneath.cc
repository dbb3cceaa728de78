#include "tree/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace dare::tree {

Result<FileDescriptor> OpenBeneath(int folder, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
  if ((flags & O_PATH) != 0) how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  // With O_PATH and O_NOFOLLOW a link as the last component is opened itself, not followed.
  if ((flags & O_PATH) != 0 && (flags & O_DIRECTORY) == 0) {
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (path.find('/') != std::string::npos) {
      const FileDescriptor parent = TRY(OpenParent(folder, path));
      return OpenBeneath(parent.get(), NameOf(path), flags, mode);
    }
  }
  const std::string& name = path.empty() ? std::string(".") : path;
  const long fd = ::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how);
  if (fd < 0) return IoError("cannot open it", errno);
  return FileDescriptor(static_cast<int>(fd));
}

Result<FileDescriptor> OpenParent(int folder, const std::string& path) {
  return OpenBeneath(folder, ParentOf(path), O_PATH | O_DIRECTORY);
}

std::string ParentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string NameOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<void> MakeParents(int folder, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    const FileDescriptor parent = TRY(OpenParent(folder, part));
    if (::mkdirat(parent.get(), NameOf(part).c_str(), 0700) != 0 && errno != EEXIST) {
      return IoError("cannot make a folder", errno);
    }
  }
  return {};
}

}  // namespace dare::tree

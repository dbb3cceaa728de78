#include "tree/source_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>

#include "tree/attributes.h"
#include "tree/beneath.h"
#include "tree/extents.h"

namespace dare::tree {
namespace {

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

EntryKind KindOf(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return EntryKind::kFile;
    case S_IFDIR:
      return EntryKind::kFolder;
    case S_IFLNK:
      return EntryKind::kLink;
    case S_IFIFO:
      return EntryKind::kFifo;
    case S_IFCHR:
      return EntryKind::kCharDevice;
    case S_IFBLK:
      return EntryKind::kBlockDevice;
    default:
      return EntryKind::kFiller;  // a socket
  }
}

int FlagsFor(EntryKind kind) {
  switch (kind) {
    case EntryKind::kFile:
      return O_RDONLY | O_NONBLOCK;
    default:
      return O_PATH;
  }
}

}  // namespace

Entry SeenName::AsEntry(const std::string& folder) const {
  Entry entry;
  entry.kind = KindOf(mode);
  entry.path = folder.empty() ? name : folder + "/" + name;
  entry.mode = static_cast<std::uint16_t>(mode & 07777);
  return entry;
}

Result<std::vector<SeenName>> ListFolder(int root, const std::string& path) {
  FileDescriptor fd = TRY(OpenBeneath(root, path, O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, DirCloser> dir(::fdopendir(fd.get()));
  if (!dir) return IoError("cannot read the folder", errno);
  const int folder = fd.Release();
  std::vector<SeenName> names;
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(dir.get());
    if (found == nullptr && errno != 0) return IoError("cannot read the folder", errno);
    if (found == nullptr) break;
    SeenName seen;
    seen.name = found->d_name;
    if (seen.name == "." || seen.name == "..") continue;
    struct stat status {};
    if (::fstatat(folder, found->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      seen.device = status.st_dev;
      seen.inode = status.st_ino;
      seen.mode = status.st_mode;
      seen.links = status.st_nlink;
      seen.size = static_cast<std::uint64_t>(status.st_size);
    } else if (errno == ENOENT) {
      continue;  // gone meanwhile
    } else {
      return IoError("cannot look at what is in the folder", errno);
    }
    names.push_back(std::move(seen));
  }
  std::sort(names.begin(), names.end(),
            [](const SeenName& a, const SeenName& b) { return a.name < b.name; });
  return names;
}

Result<FileDescriptor> ReadSource(int root, ino_t inode, Entry& entry) {
  FileDescriptor fd = TRY(OpenBeneath(root, entry.path, FlagsFor(entry.kind)));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return IoError("cannot look at it", errno);
  if (status.st_ino != inode || KindOf(status.st_mode) != entry.kind) {
    return Error(Code::kConflict, "it was replaced while it was being sealed");
  }
  TakeStatus(status, entry);
  entry.attributes = TRY(ReadAttributes(fd.get()));
  if (entry.kind == EntryKind::kLink) {
    std::string target(PATH_MAX, '\0');
    const ssize_t n = ::readlinkat(fd.get(), "", target.data(), target.size());
    if (n <= 0) return IoError("cannot read the link", errno);
    entry.target.assign(target, 0, static_cast<std::size_t>(n));
  }
  if (entry.kind == EntryKind::kCharDevice || entry.kind == EntryKind::kBlockDevice) {
    entry.major = ::major(status.st_rdev);
    entry.minor = ::minor(status.st_rdev);
  }
  if (entry.kind != EntryKind::kFile) return fd;
  FileData& file = entry.file;
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.inode = status.st_ino;
  file.changed = ChangedOf(status);
  file.linked = status.st_nlink > 1;
  if (file.size > 0 && static_cast<std::uint64_t>(status.st_blocks) * 512 < file.size) {
    file.extents = FindExtents(fd.get(), file.size);
    file.sparse = file.extents != std::vector<Extent>{{0, file.size}};
    if (!file.sparse) file.extents.clear();
  }
  return fd;
}

bool IsUnchanged(int fd, const Entry& entry) {
  struct stat now {};
  return ::fstat(fd, &now) == 0 && static_cast<std::uint64_t>(now.st_size) == entry.file.size &&
         ModifiedOf(now) == entry.modified && ChangedOf(now) == entry.file.changed;
}

bool MayChangeUnseen(const Time& changed, const Time& now) {
  constexpr std::int64_t kSecond = 1'000'000'000, kTick = kSecond / 10;
  if (changed.seconds > now.seconds) return true;
  if (changed.seconds < now.seconds - 1) return false;
  const std::int64_t age = (now.seconds - changed.seconds) * kSecond +
                           std::int64_t{now.nanoseconds} - std::int64_t{changed.nanoseconds};
  return age < kTick;
}

std::uint64_t CountBytes(int root, const std::string& path) {
  const Result<std::vector<SeenName>> names = ListFolder(root, path);
  std::uint64_t total = 0;
  if (!names || path.size() > kMostPathBytes) return total;
  for (const SeenName& seen : *names) {
    if (S_ISREG(seen.mode)) total += seen.size;
    if (S_ISDIR(seen.mode)) total += CountBytes(root, seen.AsEntry(path).path);
  }
  return total;
}

}  // namespace dare::tree

#include "tree/target_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/uuid.h"
#include "tree/attributes.h"
#include "tree/beneath.h"

namespace dare::tree {
namespace {

constexpr std::string_view kTemporary = ".dare-opening-";

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

Result<bool> IsEmpty(int folder) {
  const std::unique_ptr<DIR, DirCloser> dir(
      ::fdopendir(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!dir) return IoError("cannot read the folder", errno);
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return true;
}

mode_t TypeOf(EntryKind kind) {
  switch (kind) {
    case EntryKind::kLink:
      return S_IFLNK;
    case EntryKind::kFifo:
      return S_IFIFO;
    case EntryKind::kCharDevice:
      return S_IFCHR;
    case EntryKind::kBlockDevice:
      return S_IFBLK;
    default:
      return S_IFREG;
  }
}

int Make(int parent, const std::string& name, const Entry& entry) {
  if (entry.kind == EntryKind::kLink) {
    return ::symlinkat(entry.target.c_str(), parent, name.c_str());
  }
  return ::mknodat(parent, name.c_str(), TypeOf(entry.kind) | 0600,
                   ::makedev(entry.major, entry.minor));
}

}  // namespace

Result<TargetFolder> TargetFolder::Claim(const std::string& path, std::string top,
                                         bool must_be_empty, bool replace) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return IoError("cannot make " + path, errno);
  }
  FileDescriptor root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return IoError("cannot open " + path, errno);
  const bool empty = TRY(IsEmpty(root.get()));
  if (must_be_empty && !empty) {
    return Error(Code::kAlreadyExists, path + " is there and not empty");
  }
  return TargetFolder(std::move(root), std::move(top), "", replace);
}

Result<TargetFolder> TargetFolder::ForOne(const std::string& path, std::string top, bool replace) {
  const std::string folder = FolderOf(path);
  FileDescriptor root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return IoError("cannot open " + folder, errno);
  std::string name = NameOf(path);
  struct stat status {};
  const bool there = ::fstatat(root.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!IsSafeName(name) || (there && S_ISDIR(status.st_mode))) {
    return Error(Code::kInvalidArgument, path + " is a folder, and what is opened is none");
  }
  if (there && !replace) return Error(Code::kAlreadyExists, path + " exists");
  return TargetFolder(std::move(root), std::move(top), std::move(name), replace);
}

std::string TargetFolder::PlaceOf(const std::string& path) const {
  if (!top_name_.empty() || path.size() == top_.size()) return top_name_;
  return top_.empty() ? path : path.substr(top_.size() + 1);
}

Result<void> TargetFolder::MakeFolder(const std::string& path) const {
  const std::string place = PlaceOf(path);
  const FileDescriptor parent = TRY(OpenParent(root_.get(), place));
  const std::string name = NameOf(place);
  if (::mkdirat(parent.get(), name.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return IoError("cannot make the folder", errno);
  const bool is_folder = OpenBeneath(parent.get(), name, O_PATH | O_DIRECTORY).has_value();
  if (is_folder) return {};
  if (!replace_) return Error(Code::kAlreadyExists, "something else has its name");
  if (::unlinkat(parent.get(), name.c_str(), 0) != 0 ||
      ::mkdirat(parent.get(), name.c_str(), 0700) != 0) {
    return IoError("cannot make the folder", errno);
  }
  return {};
}

Result<TargetFolder::NewFile> TargetFolder::BeginFile(const std::string& path,
                                                      Parent& parent) const {
  const std::string place = PlaceOf(path);
  if (std::string folder = ParentOf(place); !parent.fd || folder != parent.path) {
    parent.fd = TRY(OpenParent(root_.get(), place));
    parent.path = std::move(folder);
  }
  NewFile file;
  file.parent = parent.fd.get();
  file.fd = FileDescriptor(::openat(file.parent, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.fd) return file;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT) {
    return IoError("cannot make the file", errno);
  }
  file.temporary = std::string(kTemporary) + TRY(NewUuid());
  file.fd = TRY(OpenBeneath(file.parent, file.temporary, O_RDWR | O_CREAT | O_EXCL, 0600));
  return file;
}

Result<void> TargetFolder::FinishFile(NewFile file, const Entry& entry) const {
  Result<void> finished = ApplyAttributes(file.fd.get(), entry);
  const bool attributes_failed = !finished;
  const Result<void> published = Publish(
      file.parent, file.fd.get(),
      file.temporary.empty() ? "/proc/self/fd/" + std::to_string(file.fd.get()) : file.temporary,
      NameOf(PlaceOf(entry.path)));
  if (!published) DropFile(file);
  // The content is whole: the file stays, and what it lacks is told.
  return attributes_failed && published ? finished : published;
}

void TargetFolder::DropFile(const NewFile& file) const {
  if (!file.temporary.empty()) {
    (void)::unlinkat(file.parent, file.temporary.c_str(), 0);
  }
}

// `from`: a name in the folder, or a path of /proc for a file without one.
Result<void> TargetFolder::Publish(int parent, int fd, const std::string& from,
                                   const std::string& name) const {
  const bool unnamed = from.starts_with("/");
  // Root can name a descriptor directly, which is cheaper than through /proc.
  if (unnamed && ::linkat(fd, "", parent, name.c_str(), AT_EMPTY_PATH) == 0) return {};
  if (unnamed && errno != EEXIST &&
      ::linkat(AT_FDCWD, from.c_str(), parent, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
    return {};
  }
  if (unnamed && errno != EEXIST) return IoError("cannot give it its name", errno);
  if (!replace_) {
    if (unnamed) return Error(Code::kAlreadyExists, "something has its name");
    const bool linked = ::linkat(parent, from.c_str(), parent, name.c_str(), 0) == 0;
    if (!linked) return IoError("cannot give it its name", errno);
    (void)::unlinkat(parent, from.c_str(), 0);
    return {};
  }
  std::string temporary = from;
  if (unnamed) {
    temporary = std::string(kTemporary) + TRY(NewUuid());
    if (::linkat(AT_FDCWD, from.c_str(), parent, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return IoError("cannot give it its name", errno);
    }
  }
  if (::renameat(parent, temporary.c_str(), parent, name.c_str()) == 0) return {};
  const int reason = errno;
  (void)::unlinkat(parent, temporary.c_str(), 0);
  return IoError("cannot give it its name", reason);
}

Result<void> TargetFolder::MakeSpecial(const Entry& entry) const {
  const std::string place = PlaceOf(entry.path);
  const FileDescriptor parent = TRY(OpenParent(root_.get(), place));
  const std::string name = NameOf(place);
  int made = Make(parent.get(), name, entry);
  if (made != 0 && errno == EEXIST && replace_) {
    (void)::unlinkat(parent.get(), name.c_str(), 0);
    made = Make(parent.get(), name, entry);
  }
  if (made != 0) return IoError("cannot make it", errno);
  const FileDescriptor fd = TRY(OpenBeneath(parent.get(), name, O_PATH));
  struct stat status {};
  // Nobody may have put something else in its place, or root would give that away.
  if (::fstat(fd.get(), &status) != 0 || (status.st_mode & S_IFMT) != TypeOf(entry.kind)) {
    return Error(Code::kConflict, "it was replaced while it was being made");
  }
  return ApplyAttributes(fd.get(), entry);
}

Result<void> TargetFolder::MakeHardLink(const std::string& path,
                                        const std::string& existing) const {
  const std::string there = PlaceOf(existing), place = PlaceOf(path);
  const FileDescriptor from = TRY(OpenParent(root_.get(), there));
  const FileDescriptor parent = TRY(OpenParent(root_.get(), place));
  const std::string name = NameOf(place), source = NameOf(there);
  int linked = ::linkat(from.get(), source.c_str(), parent.get(), name.c_str(), 0);
  if (linked != 0 && errno == EEXIST && replace_) {
    (void)::unlinkat(parent.get(), name.c_str(), 0);
    linked = ::linkat(from.get(), source.c_str(), parent.get(), name.c_str(), 0);
  }
  if (linked != 0) return IoError("cannot link it", errno);
  return {};
}

Result<void> TargetFolder::FinishFolder(const Entry& entry) const {
  const FileDescriptor fd =
      TRY(OpenBeneath(root_.get(), PlaceOf(entry.path), O_RDONLY | O_DIRECTORY));
  return ApplyAttributes(fd.get(), entry);
}

bool TargetFolder::HasFile(const Entry& entry) const {
  const std::string place = PlaceOf(entry.path);
  const Result<FileDescriptor> parent = OpenParent(root_.get(), place);
  struct stat status {};
  return parent &&
         ::fstatat(parent->get(), NameOf(place).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) == entry.file.size &&
         ModifiedOf(status) == entry.modified;
}

Result<void> TargetFolder::Sync() const {
  if (::syncfs(root_.get()) != 0) return IoError("cannot sync what was opened", errno);
  return {};
}

}  // namespace dare::tree

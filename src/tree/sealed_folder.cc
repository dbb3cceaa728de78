#include "tree/sealed_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>

#include "envelope/io.h"
#include "tree/beneath.h"

namespace dare::tree {
namespace {

constexpr std::string_view kDataFolder = "data";
constexpr std::string_view kFilesFolder = "files";
constexpr std::string_view kMessageSuffix = ".esdk";
constexpr std::size_t kShortId = 16;  // hex digits in a kept name
// A pipe in the place of a file must not hold us up.
constexpr int kReadPlain = O_RDONLY | O_NONBLOCK;
constexpr int kDeepestSweep = 2100;  // kMostPathBytes hold no more components

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

Error Busy(const std::string& path) {
  return Error(Code::kConflict, path + " is in use by another process");
}

Error NotOne(const std::string& path) {
  return Error(Code::kDamaged, path + ": not a sealed tree or damaged");
}

// A regular file of the tree; kDamaged for whatever else has its name.
Result<FileDescriptor> OpenPlain(int folder, std::string_view name, const std::string& path) {
  FileDescriptor fd = TRY(OpenBeneath(folder, std::string(name), kReadPlain));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return IoError("cannot look at " + path, errno);
  if (!S_ISREG(status.st_mode)) return NotOne(path);
  return fd;
}

Result<void> Lock(int fd, int how, const std::string& path) {
  if (::flock(fd, how | LOCK_NB) == 0) return {};
  return errno == EWOULDBLOCK ? Busy(path) : IoError("cannot lock " + path, errno);
}

// True when nothing but a lock is in it.
Result<bool> IsUnused(int folder) {
  const std::unique_ptr<DIR, DirCloser> dir(
      ::fdopendir(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!dir) return IoError("cannot read the folder", errno);
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name != kLockName && !name.starts_with("key-block.tmp.")) {
      return false;
    }
  }
  return true;
}

// The first 8 bytes of the message id in the name of a message; nothing for other names.
std::optional<std::uint64_t> IdInName(std::string_view folder, std::string_view name) {
  std::string digits;
  if (folder.starts_with(kDataFolder) && folder.size() == kDataFolder.size() + 3) {
    digits = std::string(folder.substr(kDataFolder.size() + 1)) + std::string(name.substr(0, 14));
    if (name.size() != 30) return std::nullopt;
  } else if (name.size() > kShortId + 1 + kMessageSuffix.size() && name.ends_with(kMessageSuffix)) {
    digits = name.substr(name.size() - kMessageSuffix.size() - kShortId, kShortId);
  }
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id, 16);
  if (digits.size() != 16 || error != std::errc() || end != digits.data() + 16) {
    return std::nullopt;
  }
  return id;
}

class Sweeper {
 public:
  explicit Sweeper(const std::vector<std::uint64_t>& ids) : ids_(ids) {}

  Result<void> Folder(int above, const std::string& path, int depth) {
    const int fd =
        ::openat(above, NameOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) return {};
    const std::unique_ptr<DIR, DirCloser> dir(fd < 0 ? nullptr : ::fdopendir(fd));
    if (!dir) return IoError("cannot read " + path, errno);
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat status {};
      const bool folder = entry->d_type == DT_DIR ||
                          (entry->d_type == DT_UNKNOWN &&
                           ::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                           S_ISDIR(status.st_mode));
      if (folder) {
        if (depth < kDeepestSweep) TRY(Folder(fd, path + "/" + name, depth + 1));
        (void)::unlinkat(fd, name.c_str(), AT_REMOVEDIR);  // when it is empty
        continue;
      }
      const std::optional<std::uint64_t> id = IdInName(path, name);
      if (!id || std::binary_search(ids_.begin(), ids_.end(), *id)) continue;
      if (::unlinkat(fd, name.c_str(), 0) != 0 && errno != ENOENT) {
        return IoError("cannot remove " + path + "/" + name, errno);
      }
      ++removed_;
    }
    return {};
  }
  std::uint64_t removed() const { return removed_; }

 private:
  const std::vector<std::uint64_t>& ids_;
  std::uint64_t removed_ = 0;
};

}  // namespace

std::string DataPath(const Entry& entry, bool names_encrypted) {
  const std::string id = ToHex(ByteView(entry.file.message_id).first(16));
  const std::string suffix = "." + id.substr(0, kShortId) + std::string(kMessageSuffix);
  // Linked files have several names, and a long name has no room for the id.
  if (names_encrypted || entry.file.linked ||
      NameOf(entry.path).size() + suffix.size() > kMostNameBytes) {
    return std::string(kDataFolder) + "/" + id.substr(0, 2) + "/" + id.substr(2);
  }
  return std::string(kFilesFolder) + "/" + entry.path + suffix;
}

bool IsSealedTree(const std::string& path) {
  struct stat status {};
  return ::lstat((path + "/" + std::string(kKeyBlockName)).c_str(), &status) == 0 &&
         S_ISREG(status.st_mode);
}

Result<SealedFolder> SealedFolder::Claim(const std::string& path) {
  SealedFolder folder;
  folder.path_ = path;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return IoError("cannot make " + path, errno);
  }
  folder.root_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.root_) return IoError("cannot open " + path, errno);
  const bool unused = TRY(IsUnused(folder.fd()));
  if (!unused && !IsSealedTree(path)) {
    return Error(Code::kAlreadyExists, path + " is there and is no sealed tree");
  }
  folder.lock_ = TRY(OpenBeneath(folder.fd(), std::string(kLockName), O_RDWR | O_CREAT, 0600));
  TRY(Lock(folder.lock_.get(), LOCK_EX, path));
  folder.is_new_ = !IsSealedTree(path);  // under the lock
  return folder;
}

Result<void> SealedFolder::MakeKeyBlock(const envelope::Keyring& keks) {
  block_ = TRY(envelope::KeyBlock::New());
  Bytes area = TRY(envelope::SealKeyBlock(block_, keks));
  const Bytes slot = area;
  Append(area, slot);
  return WriteFileDurably(path_ + "/" + std::string(kKeyBlockName), area, 0600, false);
}

Result<void> SealedFolder::OpenKeyBlock(const envelope::Keyring& keks) {
  const Result<FileDescriptor> fd = OpenPlain(root_.get(), kKeyBlockName, path_);
  if (!fd && fd.error().code == Code::kDamaged) return fd.error();
  if (!fd) return fd.error().detail == ENOENT ? NotOne(path_) : fd.error().In(path_);
  const envelope::FileReader reader = TRY(envelope::FileReader::Create(fd->get(), path_));
  Bytes area(envelope::kKeyBlockAreaSize);
  const std::size_t n = TRY(reader.ReadAt(0, area));
  if (n != area.size() || reader.size() != area.size()) return NotOne(path_);
  Result<envelope::OpenedSlot> slot =
      envelope::OpenKeyBlockArea(area, keks, envelope::SlotTolerance::kStrict);
  if (!slot) return slot.error().code == Code::kDamaged ? NotOne(path_) : slot.error();
  block_ = std::move(slot->block);
  return {};
}

Result<SealedFolder> SealedFolder::ForOpening(const std::string& path,
                                              const envelope::Keyring& keks) {
  SealedFolder folder;
  folder.path_ = path;
  folder.root_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.root_) return IoError("cannot open " + path, errno);
  // On a medium that cannot be written there may be no lock, and nobody to lock out.
  Result<FileDescriptor> lock = OpenBeneath(folder.fd(), std::string(kLockName), kReadPlain);
  if (lock) {
    folder.lock_ = *std::move(lock);
    TRY(Lock(folder.lock_.get(), LOCK_SH, path));
  }
  TRY(folder.OpenKeyBlock(keks));
  return folder;
}

Result<FileDescriptor> SealedFolder::OpenManifest(std::string_view name) const {
  Result<FileDescriptor> fd = OpenPlain(root_.get(), name, path_);
  if (!fd && fd.error().detail == ENOENT) return FileDescriptor();
  if (!fd && fd.error().code != Code::kDamaged)
    return fd.error().In(path_ + "/" + std::string(name));
  return fd;
}

Result<FileDescriptor> SealedFolder::CreateManifest() const {
  (void)::unlinkat(root_.get(), std::string(kNewManifestName).c_str(), 0);
  Result<FileDescriptor> fd =
      OpenBeneath(root_.get(), std::string(kNewManifestName), O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!fd) return fd.error().In(path_ + "/" + std::string(kNewManifestName));
  return fd;
}

Result<void> SealedFolder::KeepUnfinished() const {
  const std::string unfinished(kNewManifestName), kept(kResumeManifestName);
  struct stat now {
  }, before{};
  if (::fstatat(root_.get(), unfinished.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) return {};
  const bool has_before = ::fstatat(root_.get(), kept.c_str(), &before, AT_SYMLINK_NOFOLLOW) == 0;
  if (has_before && before.st_size > now.st_size) return {};
  if (::renameat(root_.get(), unfinished.c_str(), root_.get(), kept.c_str()) != 0) {
    return IoError("cannot rename " + path_ + "/" + unfinished, errno);
  }
  return {};
}

Result<void> SealedFolder::Commit(int manifest) const {
  // One sync for all messages, then the manifest that names them.
  if (::syncfs(root_.get()) != 0) return IoError("cannot sync " + path_, errno);
  if (::fsync(manifest) != 0) return IoError("cannot sync the manifest of " + path_, errno);
  if (::renameat(root_.get(), std::string(kNewManifestName).c_str(), root_.get(),
                 std::string(kManifestName).c_str()) != 0) {
    return IoError("cannot put the manifest of " + path_ + " in its place", errno);
  }
  if (::fsync(root_.get()) != 0) return IoError("cannot sync " + path_, errno);
  (void)::unlinkat(root_.get(), std::string(kResumeManifestName).c_str(), 0);
  return {};
}

Result<std::uint64_t> SealedFolder::Sweep(const std::vector<std::uint64_t>& ids) const {
  Sweeper sweeper(ids);
  for (const std::string_view folder : {kDataFolder, kFilesFolder}) {
    TRY(sweeper.Folder(root_.get(), std::string(folder), 0));
  }
  return sweeper.removed();
}

}  // namespace dare::tree

#include "tree/attributes.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace dare::tree {
namespace {

constexpr std::size_t kMostListBytes = 65'536;  // Linux's own limit, of values, too
constexpr std::size_t kUsualValueBytes = 256;   // what a first try has room for

// The file behind a descriptor. One that is open with O_PATH only is reached through /proc, which
// costs more than the call itself.
class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {
    if ((::fcntl(fd, F_GETFL) & O_PATH) != 0) path_ = "/proc/self/fd/" + std::to_string(fd);
  }
  ssize_t ListNames(char* names, std::size_t size) const {
    return path_.empty() ? ::flistxattr(fd_, names, size) : ::listxattr(path_.c_str(), names, size);
  }
  ssize_t Get(const std::string& name, Bytes& value) const {
    return path_.empty() ? ::fgetxattr(fd_, name.c_str(), value.data(), value.size())
                         : ::getxattr(path_.c_str(), name.c_str(), value.data(), value.size());
  }
  int Set(const ExtendedAttribute& attribute) const {
    const char* name = attribute.name.c_str();
    const Bytes& value = attribute.value;
    return path_.empty() ? ::fsetxattr(fd_, name, value.data(), value.size(), 0)
                         : ::setxattr(path_.c_str(), name, value.data(), value.size(), 0);
  }
  int SetMode(mode_t mode) const {
    return path_.empty() ? ::fchmod(fd_, mode) : ::chmod(path_.c_str(), mode);
  }
  int SetTimes(const struct timespec (&times)[2]) const {
    return path_.empty() ? ::futimens(fd_, times) : ::utimensat(AT_FDCWD, path_.c_str(), times, 0);
  }

 private:
  const int fd_;
  std::string path_;  // empty: the descriptor does for everything
};

bool IsRootsToSet(const std::string& name) {
  return !name.starts_with("user.") && !name.starts_with("system.posix_acl_");
}

Result<void> ApplyExtended(const OpenFile& file, const Entry& entry) {
  const bool root = ::geteuid() == 0;
  for (const ExtendedAttribute& attribute : entry.attributes) {
    if (!root && IsRootsToSet(attribute.name)) continue;
    if (file.Set(attribute) != 0) {
      return IoError("cannot give it its attribute " + attribute.name, errno);
    }
  }
  return {};
}

}  // namespace

Time ModifiedOf(const struct stat& status) {
  return {status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)};
}

Time ChangedOf(const struct stat& status) {
  return {status.st_ctim.tv_sec, static_cast<std::uint32_t>(status.st_ctim.tv_nsec)};
}

void TakeStatus(const struct stat& status, Entry& entry) {
  entry.mode = static_cast<std::uint16_t>(status.st_mode & 07777);
  entry.owner = status.st_uid;
  entry.group = status.st_gid;
  entry.modified = ModifiedOf(status);
}

Result<std::vector<ExtendedAttribute>> ReadAttributes(int fd) {
  std::vector<ExtendedAttribute> attributes;
  const OpenFile file(fd);
  const ssize_t size = file.ListNames(nullptr, 0);
  if (size < 0 && errno == E2BIG) return Error(Code::kTooLarge, "it has too many attributes");
  if (size < 0 && errno != ENOTSUP) return IoError("cannot list its attributes", errno);
  if (size <= 0) return attributes;
  std::string names(std::min(kMostListBytes, static_cast<std::size_t>(size) + 256), '\0');
  const ssize_t listed = file.ListNames(names.data(), names.size());
  if (listed < 0) return IoError("cannot list its attributes", errno);
  names.resize(static_cast<std::size_t>(listed));
  std::size_t total = 0;
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    Bytes value(kUsualValueBytes);
    ssize_t n = file.Get(name, value);
    if (n < 0 && errno == ERANGE) {
      value.resize(kMostListBytes);
      n = file.Get(name, value);
    }
    if (n < 0 && errno == ENODATA) continue;  // gone meanwhile
    if (n < 0) return IoError("cannot read its attribute " + name, errno);
    value.resize(static_cast<std::size_t>(n));
    total += name.size() + value.size();
    if (total > kMostAttributeBytes) return Error(Code::kTooLarge, "its attributes are too large");
    attributes.push_back({name, std::move(value)});
  }
  std::sort(attributes.begin(), attributes.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return attributes;
}

Result<void> ApplyAttributes(int fd, const Entry& entry) {
  const bool root = ::geteuid() == 0;
  const bool link = entry.kind == EntryKind::kLink;
  const OpenFile file(fd);
  if (root && ::fchownat(fd, "", entry.owner, entry.group, AT_EMPTY_PATH) != 0) {
    return IoError("cannot give it its owner", errno);
  }
  TRY(ApplyExtended(file, entry));  // after the owner: changing that drops capabilities
  mode_t mode = entry.mode;
  if (!root && entry.kind == EntryKind::kFile) mode &= 0777;
  if (!link && file.SetMode(mode) != 0) return IoError("cannot give it its mode", errno);
  const struct timespec times[2] = {
      {0, UTIME_OMIT}, {entry.modified.seconds, static_cast<long>(entry.modified.nanoseconds)}};
  if (file.SetTimes(times) != 0) {
    return IoError("cannot give it its time", errno);
  }
  return {};
}

}  // namespace dare::tree

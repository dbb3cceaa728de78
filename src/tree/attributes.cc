#include "tree/attributes.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace dare::tree {
namespace {

constexpr std::size_t kMostListBytes = 65'536;  // Linux's own limit

std::string PathOf(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

bool IsRootsToSet(const std::string& name) {
  return !name.starts_with("user.") && !name.starts_with("system.posix_acl_");
}

Result<void> ApplyExtended(const std::string& path, const Entry& entry) {
  const bool root = ::geteuid() == 0;
  for (const ExtendedAttribute& attribute : entry.attributes) {
    if (!root && IsRootsToSet(attribute.name)) continue;
    if (::setxattr(path.c_str(), attribute.name.c_str(), attribute.value.data(),
                   attribute.value.size(), 0) != 0) {
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
  const std::string path = PathOf(fd);
  const ssize_t size = ::listxattr(path.c_str(), nullptr, 0);
  if (size < 0 && errno == E2BIG) return Error(Code::kTooLarge, "it has too many attributes");
  if (size < 0 && errno != ENOTSUP) return IoError("cannot list its attributes", errno);
  if (size <= 0) return attributes;
  std::string names(kMostListBytes, '\0');
  const ssize_t listed = ::listxattr(path.c_str(), names.data(), names.size());
  if (listed < 0) return IoError("cannot list its attributes", errno);
  names.resize(static_cast<std::size_t>(listed));
  std::size_t total = 0;
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    Bytes value(kMostListBytes);
    const ssize_t n = ::getxattr(path.c_str(), name.c_str(), value.data(), value.size());
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
  const std::string path = PathOf(fd);
  if (root && ::fchownat(fd, "", entry.owner, entry.group, AT_EMPTY_PATH) != 0) {
    return IoError("cannot give it its owner", errno);
  }
  TRY(ApplyExtended(path, entry));  // after the owner: changing that drops capabilities
  mode_t mode = entry.mode;
  if (!root && entry.kind == EntryKind::kFile) mode &= 0777;
  if (!link && ::chmod(path.c_str(), mode) != 0) return IoError("cannot give it its mode", errno);
  const struct timespec times[2] = {
      {0, UTIME_OMIT}, {entry.modified.seconds, static_cast<long>(entry.modified.nanoseconds)}};
  if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0) {
    return IoError("cannot give it its time", errno);
  }
  return {};
}

}  // namespace dare::tree

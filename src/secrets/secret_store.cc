#include "secrets/secret_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "envelope/io.h"
#include "envelope/output_file.h"

namespace dare::secrets {
namespace {

constexpr std::string_view kSuffix = ".secret";
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

// Lets one process at a time change what exists in a folder; given back when it dies. Waits, until
// a signal comes.
Result<FileDescriptor> LockFolder(const std::string& folder) {
  FileDescriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return IoError("cannot open " + folder, errno);
  if (::flock(lock.get(), LOCK_EX) != 0) return IoError("cannot lock " + folder, errno);
  return lock;
}

Error NoSuchSecret(std::string_view name, const std::string& folder) {
  return Error(Code::kNotFound, "there is no secret " + std::string(name) + " in " + folder);
}

// What it is that is damaged: not which file, because its name may be what is wrong.
template <typename T>
Result<T> NameDamage(std::string_view name, Result<T> result) {
  if (result ||
      (result.error().code != Code::kDamaged && result.error().code != Code::kUnsupported)) {
    return result;
  }
  return result.error().In("secret " + std::string(name));
}

// "a/b///" is "a/b": what stands before the last slash is the folder that it is in.
std::string WithoutSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

SecretStore::SecretStore(std::string folder) : folder_(WithoutSlashes(std::move(folder))) {}

std::string SecretStore::PathOf(std::string_view name) const {
  return folder_ + "/" + std::string(name) + std::string(kSuffix);
}

Result<void> SecretStore::MakeFolder() const {
  if (FileExists(folder_)) return {};
  const std::string parent = FolderOf(folder_);
  TRY(MakeFolders(parent));
  if (::mkdir(folder_.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return IoError("cannot make folder " + folder_, errno);
  }
  return SyncFolder(parent);
}

Result<void> SecretStore::CheckFolder() const {
  struct stat status {};
  if (::stat(folder_.c_str(), &status) != 0) return IoError("cannot stat " + folder_, errno);
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return Error(Code::kIo, folder_ + " holds secrets but belongs to another user", EACCES);
  }
  if ((status.st_mode & 022) != 0) {
    return Error(Code::kIo,
                 folder_ + " holds secrets but group or others may write to it; chmod 700 it",
                 EACCES);
  }
  return {};
}

Result<Bytes> SecretStore::Read(std::string_view name) const {
  TRY(CheckName(name));
  if (!FileExists(PathOf(name))) return NoSuchSecret(name, folder_);
  TRY(CheckFolder());
  Result<Bytes> message = ReadFile(PathOf(name), kMostMessageBytes);
  if (message) return message;
  switch (message.error().code) {
    case Code::kTooLarge:
      return Error(Code::kDamaged, "not a secret or damaged");
    default:
      return message.error().detail == ENOENT ? NoSuchSecret(name, folder_) : message.error();
  }
}

Result<void> SecretStore::Write(std::string_view name, ByteView message, bool replace) const {
  const std::string path = PathOf(name);
  envelope::OutputFile file = TRY(envelope::OutputFile::Create(path, replace));
  envelope::FileWriter writer(file.fd(), path);
  TRY(writer.WriteAt(0, message));
  return file.Commit(std::nullopt, kFileMode);
}

Result<void> SecretStore::Put(const SecretFacts& facts, const SecretBytes& value,
                              const envelope::Keyring& keks, bool replace) {
  TRY(CheckName(facts.name));
  TRY(MakeFolder());
  TRY(CheckFolder());
  if (!replace && FileExists(PathOf(facts.name))) {
    return Error(Code::kAlreadyExists, "the secret " + facts.name + " exists");
  }
  const Bytes message = TRY(SealSecret(facts, value, keks));
  const FileDescriptor lock = TRY(LockFolder(folder_));
  return Write(facts.name, message, replace);
}

Result<OpenedSecret> SecretStore::Get(std::string_view name, const envelope::Keyring& keks) const {
  const Bytes message = TRY(NameDamage(name, Read(name)));
  return NameDamage(name, OpenSecret(message, name, keks));
}

Result<std::vector<ListedSecret>> SecretStore::List() const {
  std::vector<ListedSecret> secrets;
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder_, failure);
  if (failure == std::errc::no_such_file_or_directory) return secrets;
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    const std::string file = entry->path().filename().string();
    if (!file.ends_with(kSuffix)) continue;
    const std::string name = file.substr(0, file.size() - kSuffix.size());
    if (!CheckName(name)) continue;  // nothing that Put() would have written
    Result<Bytes> message = Read(name);
    Result<SecretFacts> facts = message ? ReadFacts(*message) : message.error();
    if (facts && facts->name != name) facts = Error(Code::kDamaged, "not a secret or damaged");
    secrets.push_back({name, NameDamage(name, std::move(facts))});
  }
  if (failure) return IoError("cannot read " + folder_, failure.value());
  std::sort(secrets.begin(), secrets.end(),
            [](const ListedSecret& a, const ListedSecret& b) { return a.name < b.name; });
  return secrets;
}

Result<void> SecretStore::Remove(std::string_view name) {
  TRY(CheckName(name));
  if (!FileExists(PathOf(name))) return NoSuchSecret(name, folder_);
  const FileDescriptor lock = TRY(LockFolder(folder_));
  if (::unlink(PathOf(name).c_str()) != 0) {
    if (errno == ENOENT) return NoSuchSecret(name, folder_);
    return IoError("cannot remove " + PathOf(name), errno);
  }
  return SyncFolder(folder_);
}

Result<SecretFacts> SecretStore::Rewrap(std::string_view name, const envelope::Keyring& old_keks,
                                        const envelope::Keyring& new_keks) {
  TRY(CheckName(name));
  if (!FileExists(PathOf(name))) return NoSuchSecret(name, folder_);
  const FileDescriptor lock = TRY(LockFolder(folder_));
  const OpenedSecret opened = TRY(Get(name, old_keks));
  const Bytes message = TRY(SealSecret(opened.facts, opened.value, new_keks));
  TRY(Write(name, message, true));
  return ReadFacts(message);
}

}  // namespace dare::secrets

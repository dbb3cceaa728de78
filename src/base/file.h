#pragma once

#include <sys/types.h>

#include <string>

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace dare {

// An open file descriptor, closed when it dies. Move-only.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  // Gives the descriptor up without closing it.
  int Release();
  void Close();

 private:
  int fd_ = -1;
};

// The whole of a public file. kTooLarge above `limit` bytes.
Result<Bytes> ReadFile(const std::string& path, std::size_t limit = 16u << 20);

// The whole of a file that holds a secret (PIN, private key): a regular file, owned by us or root,
// with no access for group or others (systemd credentials, 0400 or 0440 under
// $CREDENTIALS_DIRECTORY, pass). kDenied with a hint otherwise. With `trim`, one trailing newline
// is dropped.
Result<SecretBytes> ReadSecretFile(const std::string& path, bool trim = false,
                                   std::size_t limit = 1u << 20);

// Writes under a temporary name beside `path`, syncs file and folder, renames. Either the old file
// or the whole new one is there. With `replace` false, kAlreadyExists when `path` exists.
Result<void> WriteFileDurably(const std::string& path, ByteView content, mode_t mode,
                              bool replace = true);

// mkdir -p; new folders get `mode`.
Result<void> MakeFolders(const std::string& path, mode_t mode = 0755);
bool FileExists(const std::string& path);
// fsync of a folder, so that a rename or create inside it lasts.
Result<void> SyncFolder(const std::string& path);
// The folder part of `path`, "." when there is none.
std::string FolderOf(const std::string& path);

}  // namespace dare

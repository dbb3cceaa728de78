#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/file.h"

namespace dare::envelope {

// A file in the making. It has no name (O_TMPFILE), or a hidden temporary one where the file system
// cannot do that, until Commit() gives it its own; when it dies before, nothing is left. A pipe,
// terminal or device as the target is written directly. Not thread-safe; its descriptor may be.
class OutputFile {
 public:
  // kAlreadyExists when `path` is a file and `replace` is false (checked again by Commit).
  static Result<OutputFile> Create(const std::string& path, bool replace);
  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  int fd() const { return fd_.get(); }
  // False for a pipe, terminal or device: write in order, nothing to commit.
  bool regular() const { return regular_; }

  // Takes over mode, times and, for root, owner of `source`; without it the mode is `mode`. Syncs
  // file and folder; then the file is there under its name.
  Result<void> Commit(const std::optional<struct stat>& source, mode_t mode);

 private:
  OutputFile(std::string path, bool replace) : path_(std::move(path)), replace_(replace) {}
  Result<void> OpenUnnamed();
  Result<void> OpenNamed();
  Result<void> TakeOver(const struct stat& source);
  Result<void> Link();
  Result<void> LinkUnnamed();

  std::string path_;
  bool replace_;
  bool regular_ = true;
  FileDescriptor fd_;
  std::string temporary_;  // empty while the file has no name
};

}  // namespace dare::envelope

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace dare::audit {

// A LineReader gives the lines of one file in order, in bounded memory whatever the file holds; the
// file may grow meanwhile. Not thread-safe.
class LineReader {
 public:
  // kIo; kDamaged when the file is shorter than `offset`.
  static Result<LineReader> Open(const std::string& path, std::uint64_t offset = 0);

  // The next whole line without its newline, valid until the next call; nothing at the end, for
  // now. kDamaged: longer than any line of ours.
  Result<std::optional<std::string_view>> Next();
  // Where the next line begins.
  std::uint64_t offset() const { return offset_; }
  // After the end: bytes follow that no newline ends.
  bool has_torn_line() const { return start_ < buffer_.size(); }

 private:
  LineReader(FileDescriptor file, std::string path, std::uint64_t offset)
      : file_(std::move(file)), path_(std::move(path)), offset_(offset) {}
  Result<bool> ReadMore();

  FileDescriptor file_;
  std::string path_;
  std::uint64_t offset_;
  std::string buffer_;
  std::size_t start_ = 0;    // in buffer_, of what was not given yet
  std::size_t scanned_ = 0;  // up to here there is no newline
};

}  // namespace dare::audit

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/line_reader.h"

namespace dare::audit {

// The lines of a whole log, in order, in bounded memory: of a folder's files, or of one file that
// has them all. Reads only; safe beside a running server. Not thread-safe.
class LogLines {
 public:
  // Of a folder, from the beginning of `first_file` on. kNotFound: no log there. kIo.
  static Result<LogLines> Open(const std::string& path, std::uint64_t first_file = 1);

  // The next line without its newline, valid until the next call; nothing at the end. kDamaged: a
  // file is missing or ends inside a line, or no line of ours is so long.
  Result<std::optional<std::string_view>> Next();

  // Of the line that was given, or of the place where Next failed:
  const std::string& file() const { return file_; }  // its name, without the folder
  std::uint64_t line() const { return line_; }       // from 1; 0: the file as a whole
  std::uint64_t files() const { return files_; }     // that were begun
  // At the end: the last line is unfinished.
  bool is_torn() const { return is_torn_; }

 private:
  LogLines() = default;
  Result<bool> BeginNext();

  std::string folder_;  // empty: one file
  std::uint64_t first_file_ = 1;
  std::vector<std::uint64_t> segments_;  // of the folder, from that one on
  std::optional<LineReader> reader_;
  std::string file_;
  std::uint64_t line_ = 0;
  std::uint64_t files_ = 0;
  bool is_torn_ = false;
};

}  // namespace dare::audit

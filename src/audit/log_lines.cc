#include "audit/log_lines.h"

#include <filesystem>

#include "audit/segment.h"

namespace dare::audit {

Result<LogLines> LogLines::Open(const std::string& path, std::uint64_t first_file) {
  LogLines lines;
  lines.first_file_ = first_file;
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) {
    lines.folder_ = path;
    lines.segments_ = TRY(ListSegments(path));
    std::erase_if(lines.segments_, [&](std::uint64_t number) { return number < first_file; });
    if (lines.segments_.empty()) return Error(Code::kNotFound, "no audit log in " + path);
    return lines;
  }
  if (!FileExists(path)) return Error(Code::kNotFound, "no audit log at " + path);
  lines.reader_ = TRY(LineReader::Open(path));
  lines.file_ = std::filesystem::path(path).filename().string();
  lines.files_ = 1;
  return lines;
}

Result<std::optional<std::string_view>> LogLines::Next() {
  while (true) {
    if (reader_) {
      ++line_;
      const std::optional<std::string_view> line = TRY(reader_->Next());
      if (line) return line;
      is_torn_ = reader_->has_torn_line();
      if (is_torn_ && files_ < segments_.size()) {
        return Error(Code::kDamaged, "the file ends inside a line");
      }
    }
    if (!TRY(BeginNext())) return std::optional<std::string_view>();
  }
}

// False after the last one.
Result<bool> LogLines::BeginNext() {
  if (files_ >= segments_.size()) return false;
  const std::uint64_t number = first_file_ + files_;
  file_ = SegmentName(number);
  line_ = 0;
  if (segments_[files_] != number) return Error(Code::kDamaged, "the file is missing");
  reader_ = TRY(LineReader::Open(folder_ + "/" + file_));
  ++files_;
  return true;
}

}  // namespace dare::audit

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "audit/checkpoint.h"
#include "base/file.h"

namespace dare::audit {

inline constexpr char kCheckpointFile[] = "checkpoints";  // in the log's folder

// A CheckpointFile has checkpoints one after the other, and only grows: the log's own, and those of
// witnesses. Each is on the disk when Append returns. One thread at a time.
class CheckpointFile {
 public:
  // Made (0640) where it is missing. What a crash left of an unfinished one is cut off. kDamaged
  // where the end is not a checkpoint; kUnavailable: another process has it.
  static Result<CheckpointFile> Open(const std::string& path);

  // The one that the file ends with.
  const std::optional<SignedCheckpoint>& last() const { return last_; }
  // Whole or not at all. kExhausted: the disk is full.
  Result<void> Append(const std::string& text);

 private:
  CheckpointFile(FileDescriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Result<void> FindEnd();
  Result<void> CutBack();

  FileDescriptor file_;
  std::string path_;
  std::uint64_t size_ = 0;  // bytes of whole checkpoints
  bool is_torn_ = false;    // more than that are in the file
  std::optional<SignedCheckpoint> last_;
};

// Gives each checkpoint of such a file, in order; bounded memory. An unfinished one at the end is
// left out. kMalformed, with the line where it begins, for what is not a checkpoint.
Result<void> ReadCheckpoints(const std::string& path,
                             const std::function<Result<void>(const SignedCheckpoint&)>& visit);

}  // namespace dare::audit

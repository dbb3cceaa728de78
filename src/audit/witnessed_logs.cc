#include "audit/witnessed_logs.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "audit/checkpoint_file.h"
#include "base/file.h"

namespace dare::audit {
namespace {

constexpr std::size_t kMostNameBytes = 100;
constexpr std::size_t kMostKeyBytes = 2048;

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// What a log that only grew can never show.
Result<void> CheckForward(const Checkpoint& newest, const Checkpoint& shown) {
  const std::string counts =
      std::to_string(newest.size) + " entries, and now one of " + std::to_string(shown.size);
  if (shown.size < newest.size) {
    return Error(Code::kConflict, "its newest checkpoint is of " + counts +
                                      ": the log's end was cut off, or it is another log");
  }
  const bool differs = shown.root != newest.root || shown.last_line != newest.last_line;
  if (shown.size == newest.size && differs) {
    return Error(Code::kConflict, "its newest checkpoint is of " + counts +
                                      " that are not the same: the log was changed");
  }
  return {};
}

}  // namespace

bool WitnessedLogs::IsNodeName(std::string_view node) {
  return !node.empty() && node.size() <= kMostNameBytes && node.front() != '.' &&
         std::ranges::all_of(node, IsNameByte);
}

Result<void> WitnessedLogs::Take(const std::string& node, const std::string& text,
                                 const std::string& key) {
  if (!IsNodeName(node)) return Error(Code::kDenied, "no log is kept under that name");
  const SignedCheckpoint shown = TRY(ParseCheckpoint(text));
  if (shown.checkpoint.origin != OriginOf(node)) {
    return Error(Code::kDenied,
                 "it is of the log " + shown.checkpoint.origin + ", not of " + OriginOf(node));
  }
  const MutexLock lock(mutex_);
  TRY(CheckKey(node, shown, key));
  CheckpointFile file = TRY(CheckpointFile::Open(PathOf(node)));
  if (file.last()) {
    TRY(CheckForward(file.last()->checkpoint, shown.checkpoint));
    if (file.last()->checkpoint.size == shown.checkpoint.size) return {};
  }
  std::error_code failed;
  const std::uintmax_t size = std::filesystem::file_size(PathOf(node), failed);
  if (failed || size >= kMostFileBytes) {
    return Error(Code::kExhausted, PathOf(node) + " is full: move it away");
  }
  return file.Append(text);
}

// Learns the key where there is none yet, of a checkpoint that it signed.
Result<void> WitnessedLogs::CheckKey(const std::string& node, const SignedCheckpoint& checkpoint,
                                     const std::string& key) {
  const std::string path = folder_ + "/" + node + ".pub";
  if (key.size() > kMostKeyBytes) return Error(Code::kMalformed, "not a public key in PEM");
  CheckpointKeys keys;
  TRY(keys.AddPem(key));
  const bool known = FileExists(path);
  if (known) {
    const Bytes first = TRY(ReadFile(path, kMostKeyBytes));
    if (AsText(first) != key) {
      return Error(Code::kDenied,
                   "it is signed by another key than the first one, which is in " + path);
    }
  }
  if (const Result<void> right = keys.Check(checkpoint); !right) {
    return Error(Code::kDenied, right.error().message);
  }
  if (known) return {};
  TRY(MakeFolders(folder_, 0750));
  TRY(SyncFolder(FolderOf(folder_)));
  return WriteFileDurably(path, AsBytes(key), 0644);
}

Result<std::optional<SignedCheckpoint>> WitnessedLogs::Newest(const std::string& node) {
  if (!IsNodeName(node)) return Error(Code::kDenied, "no log is kept under that name");
  const MutexLock lock(mutex_);
  if (!FileExists(PathOf(node))) return std::optional<SignedCheckpoint>();
  const CheckpointFile file = TRY(CheckpointFile::Open(PathOf(node)));
  return file.last();
}

}  // namespace dare::audit

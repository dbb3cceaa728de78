#include "audit/pruner.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "audit/checkpoint_file.h"
#include "audit/log_lines.h"
#include "audit/log_walk.h"
#include "audit/pruning.h"
#include "audit/segment.h"
#include "base/file.h"
#include "base/log.h"

namespace dare::audit {
namespace {

std::string WithoutControls(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

// The public keys that checkpoints in this folder may have been signed with.
Result<CheckpointKeys> KeysIn(const std::string& folder, ByteView current) {
  CheckpointKeys keys;
  TRY(keys.AddDer(current));
  std::error_code failed;
  std::filesystem::directory_iterator it(folder, failed);
  for (; !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with("audit-") || !name.ends_with(".pub")) continue;
    const Bytes pem = TRY(ReadFile(it->path().string(), kMostCheckpointBytes));
    TRY(keys.AddPem(AsText(pem)));
  }
  if (failed) return IoError("cannot list " + folder, failed.value());
  return keys;
}

Result<void> RemoveBefore(const std::string& folder, std::uint64_t file) {
  bool any = false;
  for (const std::uint64_t number : TRY(ListSegments(folder))) {
    if (number >= file) break;
    const std::string path = folder + "/" + SegmentName(number);
    if (::unlink(path.c_str()) != 0) return IoError("cannot remove " + path, errno);
    any = true;
  }
  return any ? SyncFolder(folder) : Result<void>();
}

// How far the log may be removed.
struct Reach {
  std::optional<Pruning> pruning;  // without origin, time and name; none: nothing may be
  std::uint64_t files = 0;
  bool more = false;
};

Result<void> Judge(const std::string& problem) {
  if (problem.empty()) return {};
  return Error(Code::kDamaged, "the audit log was altered, and nothing is removed: " + problem);
}

// Goes from file to file while they are old enough, then on to the next checkpoint: only what is
// signed may go.
Result<Reach> FindReach(const PruneOptions& options, const TreeState& start,
                        const CheckpointMarks& marks) {
  const std::uint64_t written = TRY(ListSegments(options.folder)).back();
  LogWalk walk(start, marks.Sorted());
  TRY(Judge(walk.Begin()));
  LogLines lines = TRY(LogLines::Open(options.folder, start.segment));
  Reach reach;
  bool is_looking = true;
  std::uint64_t file = start.segment;  // of the line before
  while (true) {
    const std::optional<std::string_view> line = TRY(lines.Next());
    if (!line) break;
    const std::uint64_t here = start.segment + lines.files() - 1;
    if (is_looking && here != file) {  // all before this line is old
      // A checkpoint must lie behind it, so that whoever makes them has left those files.
      is_looking = walk.entries() < options.covered;
      if (is_looking) {
        reach.pruning = Pruning{.edge = walk.edge(), .last_line = walk.last_hash(), .file = here};
        reach.files = here - start.segment;
        reach.more = reach.files >= options.most_files && here < written;
      }
      file = here;
    }
    is_looking = is_looking && here < written && !reach.more;
    TRY(Judge(walk.Take(*line)));
    if (is_looking) {
      const NumberedEntry numbered = TRY(ParseLine(*line));
      is_looking = numbered.entry.time < options.before;
    }
    if (!is_looking && (!reach.pruning || walk.covered() > reach.pruning->edge.size())) break;
  }
  if (reach.pruning && walk.covered() <= reach.pruning->edge.size()) {
    return Error(Code::kDamaged, "the audit log ends before its newest checkpoint");
  }
  return reach;
}

Result<void> Step(const PruneOptions& options, const char* step) {
  return options.step_for_test ? options.step_for_test(step) : Result<void>();
}

std::string Described(const Pruning& pruning, std::uint64_t from) {
  return "entries " + std::to_string(from + 1) + " to " + std::to_string(pruning.edge.size()) +
         " are removed, the files before " + SegmentName(pruning.file) + "; tree hash " +
         ToBase64(pruning.edge.Root());
}

}  // namespace

Result<PruneResult> PruneLog(const PruneOptions& options, AuditLog& log, const Clock& clock,
                             const SignerSource& signer) {
  TRY(FinishPruning(options.folder));
  const std::string records = options.folder + "/" + kPruningFile;
  const TreeState start = TRY(FirstState(options.folder));
  const CheckpointSigner key = TRY(signer());
  const CheckpointKeys keys = TRY(KeysIn(options.folder, key.public_key));
  CheckpointMarks marks;
  const std::string checkpoints = options.folder + "/" + kCheckpointFile;
  const std::string problem =
      FileExists(checkpoints) ? TRY(marks.Load(checkpoints, keys)) : std::string();
  if (!problem.empty()) return Error(Code::kDamaged, problem);
  Reach reach = TRY(FindReach(options, start, marks));
  PruneResult result{.size = start.edge.size()};
  if (!reach.pruning) return result;

  Pruning& pruning = *reach.pruning;
  pruning.origin = options.origin;
  pruning.time = clock.Now();
  pruning.who = WithoutControls(options.who);
  SignedPruning signed_one{pruning, BodyOf(pruning), {}};
  signed_one.by.key_id = KeyIdOf(pruning.origin, key.public_key);
  TRY(Step(options, "sign"));
  signed_one.by.signature = TRY(key.sign(crypto::Sha256(AsBytes(signed_one.body))));
  TRY(keys.Check(pruning.origin, signed_one.body, signed_one.by));

  TRY(Step(options, "record"));
  Entry entry;
  entry.time = pruning.time;
  entry.principal = options.who;
  entry.address = options.address;
  entry.operation = "audit-pruned";
  entry.outcome = Outcome::kAllowed;
  entry.rule = options.rule;
  entry.detail = Described(pruning, start.edge.size());
  TRY(log.Append(entry));
  TRY(log.FlushAndSync());

  TRY(Step(options, "write"));
  std::string text;
  for (const SignedPruning& one : TRY(ReadPrunings(records))) text += TextOf(one);
  text += TextOf(signed_one);
  TRY(WriteFileDurably(records, AsBytes(text), 0640));

  TRY(Step(options, "remove"));
  TRY(RemoveBefore(options.folder, pruning.file));
  log::Info("the audit log was pruned: " + entry.detail);
  result.files = reach.files;
  result.size = pruning.edge.size();
  result.entries = result.size - start.edge.size();
  result.more = reach.more;
  return result;
}

Result<void> FinishPruning(const std::string& folder) {
  const TreeState start = TRY(FirstState(folder));
  if (start.edge.size() == 0) return {};
  return RemoveBefore(folder, start.segment);
}

}  // namespace dare::audit

#include "audit/checkpointer.h"

#include <algorithm>
#include <utility>

#include "audit/pruning.h"
#include "base/file.h"
#include "base/log.h"

namespace dare::audit {
namespace {

// What the end of a server waits for: some seconds of hashing.
constexpr std::uint64_t kMostAtTheEnd = 1'000'000;
constexpr std::uint64_t kBetweenLooksAtStop = 1024;
constexpr std::uint32_t kMostDoublings = 6;

}  // namespace

Result<std::unique_ptr<Checkpointer>> Checkpointer::Start(
    const CheckpointerOptions& options, AuditLog& log, const Clock& clock, SignerSource signer,
    std::vector<std::unique_ptr<Witness>> witnesses) {
  std::unique_ptr<Checkpointer> made(new Checkpointer(options, log, clock, std::move(signer)));
  TRY(made->Begin(std::move(witnesses)));
  return made;
}

Checkpointer::Checkpointer(const CheckpointerOptions& options, AuditLog& log, const Clock& clock,
                           SignerSource signer)
    : options_(options), log_(log), clock_(clock), find_signer_(std::move(signer)) {}

Checkpointer::~Checkpointer() {
  if (!thread_.joinable()) return;  // never started
  thread_.request_stop();
  {
    const MutexLock lock(wake_mutex_);
    wake_.NotifyAll();
  }
  thread_.join();
  if (!log_.FlushAndSync()) return;
  const std::uint64_t size = log_.synced(), from = tree_->state().edge.size();
  const bool has_new = !file_->last() || size > file_->last()->checkpoint.size;
  if (has_new && size - from < kMostAtTheEnd) NoteResult(MakeCheckpoint(size, {}));
  TellWitnesses();
}

Result<void> Checkpointer::Begin(std::vector<std::unique_ptr<Witness>> witnesses) {
  file_ = TRY(CheckpointFile::Open(options_.folder + "/" + kCheckpointFile));
  if (file_->last()) TRY(Expect(*file_->last(), "the log's own folder"));
  for (std::unique_ptr<Witness>& witness : witnesses) {
    const Result<std::optional<SignedCheckpoint>> newest = witness->Newest();
    if (!newest) {
      log::Warning("the audit log's witness " + witness->name() +
                   " cannot be asked: " + newest.error().message);
    } else if (*newest) {
      TRY(Expect(**newest, witness->name()));
    }
    posts_.push_back({std::move(witness), "", false});
  }
  tree_.emplace(options_.folder, TRY(LoadState()));
  last_made_ = clock_.Steady();
  {
    const MutexLock lock(mutex_);
    if (file_->last()) status_.size = file_->last()->checkpoint.size;
    status_.counted = tree_->state().edge.size();
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  return {};
}

Result<void> Checkpointer::Expect(const SignedCheckpoint& known, const std::string& where) {
  const Checkpoint& checkpoint = known.checkpoint;
  if (checkpoint.size > log_.synced()) {
    return Error(Code::kDamaged,
                 where + " has a checkpoint of " + std::to_string(checkpoint.size) +
                     " entries, and the audit log has " + std::to_string(log_.synced()) +
                     ": its end was cut off, an older state of it put back, or it is another log");
  }
  known_.push_back(checkpoint);
  return {};
}

// What is damaged, ahead of the checkpoints or was removed is not believed: the tree is then made
// from the first line that is there.
Result<TreeState> Checkpointer::LoadState() const {
  TreeState first = TRY(FirstState(options_.folder));
  const Result<Bytes> bytes = ReadFile(options_.folder + "/" + kTreeFile);
  if (!bytes) return first;
  Result<TreeState> state = DecodeTreeState(AsText(*bytes));
  if (!state || state->edge.size() < first.edge.size()) return first;
  for (const Checkpoint& known : known_) {
    if (known.size < state->edge.size()) continue;
    if (known.size > state->edge.size() || known.root == state->edge.Root()) return *state;
  }
  return first;
}

void Checkpointer::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      const MutexLock lock(wake_mutex_);
      if (stop.stop_requested()) return;
      wake_.WaitFor(wake_mutex_, options_.look);
    }
    const std::uint64_t size = log_.synced();
    if (skip_ != 0) {
      --skip_;
    } else if (!stop.stop_requested() && !contradicted_ && IsDue(size)) {
      NoteResult(MakeCheckpoint(size, stop));
    }
    TellWitnesses();
  }
}

bool Checkpointer::IsDue(std::uint64_t size) const {
  const std::uint64_t covered = file_->last() ? file_->last()->checkpoint.size : 0;
  if (size <= covered) return false;
  return size - covered >= options_.entries || clock_.Steady() - last_made_ >= options_.interval;
}

// False when it was told to stop.
Result<bool> Checkpointer::Grow(std::uint64_t size, const std::stop_token& stop) {
  const TreeState& state = tree_->state();
  while (true) {
    const std::uint64_t at = state.edge.size();
    const auto disagrees = [&](const Checkpoint& known) {
      return known.size == at && known.root != state.edge.Root();
    };
    if (std::ranges::any_of(known_, disagrees)) {
      return Error(Code::kDamaged,
                   "the audit log's first " + std::to_string(at) +
                       " entries are not those of its checkpoint: they were changed");
    }
    std::erase_if(known_, [&](const Checkpoint& known) { return known.size <= at; });
    if (at >= size) {
      tree_->Pause();
      return true;
    }
    if (at % kBetweenLooksAtStop == 0 && stop.stop_requested()) return false;
    TRY(tree_->AddLine());
  }
}

Result<void> Checkpointer::MakeCheckpoint(std::uint64_t size, const std::stop_token& stop) {
  if (contradicted_) return {};
  const Result<bool> grown = Grow(size, stop);
  if (!grown) {
    contradicted_ = grown.error().code == Code::kDamaged;
    return grown.error();
  }
  if (!*grown) return {};
  const TreeState& state = tree_->state();
  Checkpoint checkpoint;
  checkpoint.origin = options_.origin;
  checkpoint.size = state.edge.size();
  checkpoint.root = state.edge.Root();
  checkpoint.time = clock_.Now();
  checkpoint.last_line = state.last_line;
  const std::string text = TRY(Sign(checkpoint));
  TRY(file_->Append(text));
  last_made_ = clock_.Steady();
  for (Post& post : posts_) post.pending = text;
  {
    const MutexLock lock(mutex_);
    status_.size = status_.counted = checkpoint.size;
  }
  return WriteFileDurably(options_.folder + "/" + kTreeFile, AsBytes(EncodeTreeState(state)), 0600);
}

Result<std::string> Checkpointer::Sign(const Checkpoint& checkpoint) {
  if (!signer_) {
    CheckpointSigner found = TRY(find_signer_());
    TRY(WritePublicKey(options_.folder, found.public_key));
    signer_ = std::move(found);
  }
  const Bytes signature = TRY(signer_->sign(crypto::Sha256(AsBytes(BodyOf(checkpoint)))));
  return SignedText(checkpoint, signer_->public_key, signature);
}

void Checkpointer::NoteResult(const Result<void>& made) {
  const MutexLock lock(mutex_);
  if (made) {
    if (status_.failure) log::Info("checkpoints of the audit log are signed again");
    status_.failure.reset();
    failures_ = 0;
    return;
  }
  // An HSM that hangs is left alone for longer and longer.
  failures_ = std::min(failures_ + 1, kMostDoublings);
  skip_ = 1u << failures_;
  if (!status_.failure || status_.failure->message != made.error().message) {
    log::Failure("no checkpoint of the audit log: " + made.error().message);
  }
  status_.failure = made.error();
}

// The newest one only: it vouches for all before it.
void Checkpointer::TellWitnesses() {
  std::optional<Error> failure;
  for (Post& post : posts_) {
    if (post.pending.empty()) continue;
    const Result<void> told = post.witness->Record(post.pending);
    if (told) {
      post.pending.clear();
      if (std::exchange(post.failing, false)) {
        log::Info("the audit log's witness " + post.witness->name() + " is told again");
      }
      continue;
    }
    failure = told.error().In(post.witness->name());
    if (!std::exchange(post.failing, true)) {
      log::Failure("a witness of the audit log was not told: " + failure->message);
    }
  }
  const MutexLock lock(mutex_);
  status_.witness_failure = std::move(failure);
}

Checkpointer::Status Checkpointer::status() const {
  const MutexLock lock(mutex_);
  return status_;
}

}  // namespace dare::audit

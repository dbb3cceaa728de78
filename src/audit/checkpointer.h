#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "audit/audit_log.h"
#include "audit/checkpoint_file.h"
#include "audit/tree_state.h"
#include "audit/witness.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace dare::audit {

// The key that checkpoints are signed with.
struct CheckpointSigner {
  Bytes public_key;  // SubjectPublicKeyInfo, DER
  // Over a SHA-256 digest; may wait for an HSM.
  std::function<Result<Bytes>(ByteView digest)> sign;
};
// Finds it; asked again, later, when it failed.
using SignerSource = std::function<Result<CheckpointSigner>()>;

struct CheckpointerOptions {
  std::string folder;                   // of the log
  std::string origin;                   // OriginOf(node)
  std::chrono::seconds interval{60};    // a checkpoint is due after so long,
  std::uint64_t entries = 100'000;      // or so many entries; never without a new one
  std::chrono::milliseconds look{500};  // how often is looked
};

// A Checkpointer signs from time to time how the log is, on a thread of its own, and tells the
// witnesses. It covers only lines that are on the disk, and never signs what contradicts a
// checkpoint before: then the log was altered, and it says so until somebody looks. Nobody waits
// for it: when the HSM or a witness is away, checkpoints are late, and status() tells. Thread-safe.
class Checkpointer {
 public:
  struct Status {
    std::uint64_t size = 0;                // of the newest checkpoint; 0: none yet
    std::uint64_t counted = 0;             // lines up to this one are read no more
    std::optional<Error> failure;          // why there is no newer one
    std::optional<Error> witness_failure;  // why a witness does not have the newest one
  };

  // For a log that was just opened. kDamaged: there, or with a witness, is a checkpoint of more
  // lines than the log has: its end was cut off, or it is another log.
  static Result<std::unique_ptr<Checkpointer>> Start(
      const CheckpointerOptions& options, AuditLog& log, const Clock& clock, SignerSource signer,
      std::vector<std::unique_ptr<Witness>> witnesses = {});
  // Makes one more checkpoint of all there is, if that can be done soon.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  Status status() const EXCLUDES(mutex_);

 private:
  struct Post {  // what a witness is still to be told
    std::unique_ptr<Witness> witness;
    std::string pending;
    bool failing = false;
  };

  Checkpointer(const CheckpointerOptions& options, AuditLog& log, const Clock& clock,
               SignerSource signer);
  Result<void> Begin(std::vector<std::unique_ptr<Witness>> witnesses);
  Result<void> Expect(const SignedCheckpoint& known, const std::string& where);
  Result<TreeState> LoadState() const;
  void Run(const std::stop_token& stop) EXCLUDES(wake_mutex_, mutex_);
  bool IsDue(std::uint64_t size) const;
  Result<void> MakeCheckpoint(std::uint64_t size, const std::stop_token& stop) EXCLUDES(mutex_);
  Result<bool> Grow(std::uint64_t size, const std::stop_token& stop);
  Result<std::string> Sign(const Checkpoint& checkpoint);
  void NoteResult(const Result<void>& made) EXCLUDES(mutex_);
  void TellWitnesses() EXCLUDES(mutex_);

  const CheckpointerOptions options_;
  AuditLog& log_;
  const Clock& clock_;
  const SignerSource find_signer_;

  // Of Begin, then of the thread, then of the destructor.
  std::optional<CheckpointFile> file_;
  std::optional<TreeGrowth> tree_;
  std::vector<Checkpoint> known_;  // what the tree must agree with on its way
  std::optional<CheckpointSigner> signer_;
  std::vector<Post> posts_;
  std::chrono::steady_clock::time_point last_made_;
  bool contradicted_ = false;
  std::uint32_t failures_ = 0;  // in a row
  std::uint32_t skip_ = 0;      // so many looks until the next try

  mutable Mutex mutex_;
  Status status_ GUARDED_BY(mutex_);

  Mutex wake_mutex_;
  CondVar wake_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace dare::audit

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "custody/rotation_state.h"

namespace dare::audit {
class AuditLog;
}

namespace dare::engine {

class GroupCommit;
class Vault;

struct ResealerOptions {
  std::uint32_t per_second = 1000;        // records sealed anew at most; 0: as fast as it goes
  std::chrono::milliseconds round{2000};  // between two looks for changes of other nodes
  // After a rotation began, other nodes may for so long commit what they sealed before it.
  std::chrono::seconds grace{0};
};

// The Resealer follows what happens to the store's keys: it brings changes by other nodes into this
// one's ring, and while a key is retiring it has every record sealed anew under the current key, by
// the writer thread between requests, so few at a time that they hardly notice. Where it is stands
// in the store: whoever is killed at any moment, another start or node goes on from there. A key is
// retired only after a whole walk over a picture of the store that was taken later found nothing
// under it.
class Resealer {
 public:
  // All outlive it.
  Resealer(custody::Custody& custody, const Vault& vault, GroupCommit& writer,
           audit::AuditLog& audit, const ResealerOptions& options);
  ~Resealer();  // leaves off where it is

  void LookNow() EXCLUDES(mutex_);

 private:
  struct Batch;
  class BatchChore;

  void Run();
  Result<void> Follow();
  Result<void> Rotate(custody::RotationState state);
  Result<std::size_t> Walk(custody::RotationState& state);
  Result<bool> Prove();
  // Which of them are sealed under an older key.
  Batch Choose(const std::vector<store::PlacedRecord>& items);
  // On the writer thread; waits for it. Then the next batch is as large as one that takes a while
  // that nobody minds.
  Result<void> Put(Batch& batch, custody::RotationState& state);
  Result<void> Finish(custody::RotationState& state);
  // False when it is to end.
  bool Pause(std::chrono::milliseconds time) EXCLUDES(mutex_);
  bool Stopping() EXCLUDES(mutex_);

  custody::Custody& custody_;
  const Vault& vault_;
  GroupCommit& writer_;
  audit::AuditLog& audit_;
  const ResealerOptions options_;
  custody::RotationLease lease_;
  std::size_t page_ = 8;  // rows that one group takes along
  Mutex mutex_;
  CondVar wake_;
  bool look_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace dare::engine

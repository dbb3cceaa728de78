#pragma once

#include <optional>
#include <string>

#include "audit/checkpoint.h"
#include "base/mutex.h"

namespace dare::audit {

// WitnessedLogs keeps the checkpoints of other nodes' logs, so that whoever alters such a log must
// alter this folder, too: for the node NODE the CheckpointFile NODE.checkpoints, and NODE.pub, the
// key that they must be signed with. The first key that is shown for a node is the one, unless
// somebody put one there before. A file only goes forward. Thread-safe.
class WitnessedLogs {
 public:
  static constexpr std::uint64_t kMostFileBytes = 1u << 30;

  // Made when the first checkpoint comes.
  explicit WitnessedLogs(std::string folder) : folder_(std::move(folder)) {}

  // Whether a node's files can be called by its name.
  static bool IsNodeName(std::string_view node);

  // Takes a checkpoint of the log of `node`, shown with the key that signed it (as PublicKeyPem
  // writes it); durable when it returns. One that says nothing new is not kept twice. kMalformed;
  // kDenied: another log's, another key, or not its signature; kConflict: it contradicts the newest
  // one; kExhausted.
  Result<void> Take(const std::string& node, const std::string& text, const std::string& key)
      EXCLUDES(mutex_);
  // Nothing where there is none.
  Result<std::optional<SignedCheckpoint>> Newest(const std::string& node) EXCLUDES(mutex_);

  std::string PathOf(const std::string& node) const {
    return folder_ + "/" + node + ".checkpoints";
  }

 private:
  Result<void> CheckKey(const std::string& node, const SignedCheckpoint& checkpoint,
                        const std::string& key) REQUIRES(mutex_);

  const std::string folder_;
  Mutex mutex_;
};

}  // namespace dare::audit

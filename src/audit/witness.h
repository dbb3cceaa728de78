#pragma once

#include <memory>
#include <optional>
#include <string>

#include "audit/checkpoint.h"

namespace dare::audit {

// A Witness is a second place that is told of each checkpoint, so that whoever alters the log must
// alter that place, too. Used by one thread; calls may wait for disks and networks.
class Witness {
 public:
  virtual ~Witness() = default;
  // As it stands in the configuration.
  virtual std::string name() const = 0;
  // The newest checkpoint that it was told of, where it can say.
  virtual Result<std::optional<SignedCheckpoint>> Newest() = 0;
  // `text` is with the witness when this returns; of what cannot be known (a datagram), sent.
  virtual Result<void> Record(const std::string& text) = 0;
};

// "file:/path": a CheckpointFile, best on another machine's disk; "syslog:…": syslog_witness.h.
// kInvalidArgument for anything else.
Result<std::unique_ptr<Witness>> MakeWitness(const std::string& place);

}  // namespace dare::audit

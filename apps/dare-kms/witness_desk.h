#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "audit/witnessed_logs.h"
#include "base/mutex.h"
#include "server/config.h"
#include "server/witness_routes.h"

namespace dare::kms {

// The WitnessDesk keeps the checkpoints of the nodes that `audit.witness_for` names, in the audit
// folder's folder "witnessed". A node is who has its name in his certificate, and brings only its
// own log. What contradicts is said in the server's log. Thread-safe.
class WitnessDesk : public server::WitnessOffice {
 public:
  // `is_served`: who is not locked out.
  WitnessDesk(const server::Config& config, std::function<bool(const server::Peer&)> is_served);

  bool IsWitnessed(const server::Peer& peer) override;
  Result<void> Take(const std::string& checkpoint, const std::string& public_key,
                    const server::Peer& peer) override EXCLUDES(mutex_);
  Result<std::string> Newest(const server::Peer& peer) override;

  // Where the checkpoints of `node` are; kNotFound: it is not witnessed here.
  Result<std::string> FileOf(const std::string& node) const;

 private:
  const std::vector<std::string> nodes_;
  const std::function<bool(const server::Peer&)> is_served_;
  audit::WitnessedLogs logs_;
  Mutex mutex_;
  std::map<std::string, std::string> refused_ GUARDED_BY(mutex_);  // of each node, why last
};

}  // namespace dare::kms

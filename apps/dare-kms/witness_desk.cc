#include "witness_desk.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace dare::kms {

WitnessDesk::WitnessDesk(const server::Config& config,
                         std::function<bool(const server::Peer&)> is_served)
    : nodes_(config.audit.witness_for),
      is_served_(std::move(is_served)),
      logs_(config.audit_folder + "/witnessed") {}

bool WitnessDesk::IsWitnessed(const server::Peer& peer) {
  const bool named = peer.authenticated() && !peer.person &&
                     std::ranges::find(nodes_, peer.common_name) != nodes_.end();
  return named && is_served_(peer);
}

Result<void> WitnessDesk::Take(const std::string& checkpoint, const std::string& public_key,
                               const server::Peer& peer) {
  const std::string& node = peer.common_name;
  const Result<void> taken = logs_.Take(node, checkpoint, public_key);
  const MutexLock lock(mutex_);
  if (taken) {
    refused_.erase(node);
    return {};
  }
  // The node asks again and again.
  std::string& before = refused_[node];
  if (std::exchange(before, taken.error().message) != taken.error().message) {
    log::Failure("the audit log of " + node + " is not witnessed: " + taken.error().message);
  }
  return taken;
}

Result<std::string> WitnessDesk::Newest(const server::Peer& peer) {
  const auto newest = TRY(logs_.Newest(peer.common_name));
  return newest ? audit::TextOf(*newest) : std::string();
}

Result<std::string> WitnessDesk::FileOf(const std::string& node) const {
  if (std::ranges::find(nodes_, node) == nodes_.end() || !audit::WitnessedLogs::IsNodeName(node)) {
    return Error(Code::kNotFound, "no log of '" + node + "' is witnessed here");
  }
  return logs_.PathOf(node);
}

}  // namespace dare::kms

#include "server/visitors.h"

#include <algorithm>
#include <utility>

#include "server/network.h"

namespace dare::server {
namespace {

// With more networks than this, those without a connection are forgotten, whatever they owe.
constexpr std::size_t kMostNetworks = 65'536;
// After so many times its last ban an address begins anew.
constexpr int kBansForgiven = 4;

}  // namespace

std::optional<std::string_view> Visitors::Enter(const std::string& address, TimePoint now) {
  const MutexLock lock(mutex_);
  if (total_ >= limits_.connections) return "too many connections";
  Visitor& visitor = Find(NetworkOf(address), now);
  if (now < visitor.banned_till) return "turned away for its failed connections";
  if (visitor.connections >= limits_.connections_per_address) {
    return "too many connections of this address";
  }
  if (visitor.handshakes.Wait(limits_.handshakes_per_address, now) > Duration::zero()) {
    return "too many new connections of this address";
  }
  visitor.handshakes.Spend(limits_.handshakes_per_address, 1, now);
  ++visitor.connections;
  ++total_;
  return std::nullopt;
}

void Visitors::Leave(const std::string& address) {
  const MutexLock lock(mutex_);
  --total_;
  const auto found = visitors_.find(NetworkOf(address));
  if (found != visitors_.end()) --found->second.connections;
}

bool Visitors::Blame(const std::string& address, TimePoint now) {
  const MutexLock lock(mutex_);
  Visitor& visitor = Find(NetworkOf(address), now);
  visitor.bad.Spend(limits_.bad_per_address, 1, now);
  if (visitor.bad.Wait(limits_.bad_per_address, now) == Duration::zero()) return false;
  if (now < visitor.banned_till) return false;  // connections from before it
  if (now > visitor.banned_till + kBansForgiven * visitor.ban) visitor.ban = Duration::zero();
  visitor.ban = std::clamp(2 * visitor.ban, limits_.shortest_ban, limits_.longest_ban);
  visitor.banned_till = now + visitor.ban;
  return true;
}

std::size_t Visitors::networks() const {
  const MutexLock lock(mutex_);
  return visitors_.size();
}

bool Visitors::IsForgettable(const Visitor& visitor, TimePoint now) const {
  return visitor.connections == 0 && visitor.handshakes.IsFresh(now) && visitor.bad.IsFresh(now) &&
         now > visitor.banned_till + kBansForgiven * visitor.ban;
}

Visitors::Visitor& Visitors::Find(std::string network, TimePoint now) {
  if (visitors_.size() >= sweep_at_ && !visitors_.contains(network)) {
    std::erase_if(visitors_, [&](const auto& entry) { return IsForgettable(entry.second, now); });
    if (visitors_.size() >= kMostNetworks) {
      std::erase_if(visitors_, [](const auto& entry) { return entry.second.connections == 0; });
    }
    sweep_at_ = std::clamp<std::size_t>(2 * visitors_.size(), 1024, kMostNetworks);
    sweep_at_ = std::max(sweep_at_, visitors_.size() + 1024);
  }
  return visitors_[std::move(network)];
}

}  // namespace dare::server

#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "server/allowance.h"

namespace dare::server {

struct VisitorLimits {
  std::uint32_t connections = 4096;
  std::uint32_t connections_per_address = 1024;
  Rate handshakes_per_address;  // new connections of one address
  Rate bad_per_address;         // connections of one address that came to nothing
  Duration shortest_ban = std::chrono::seconds(1);
  Duration longest_ban = std::chrono::minutes(5);
};

// Who is connected to one listener, and from where: how many there are over all of its loops, how
// fast an address comes back, and how often in vain. An address whose connections keep failing is
// turned away, each time for twice as long. Addresses are counted as networks (network.h).
// Memory is bounded, however many addresses there are. Thread-safe.
class Visitors {
 public:
  explicit Visitors(const VisitorLimits& limits) : limits_(limits) {}

  // Nothing: come in, and Leave() must follow. Otherwise why not; static text.
  std::optional<std::string_view> Enter(const std::string& address, TimePoint now) EXCLUDES(mutex_);
  void Leave(const std::string& address) EXCLUDES(mutex_);
  // A connection of somebody who proved nothing came to nothing: no TLS, no certificate, no
  // message. True when the address is turned away from now on.
  bool Blame(const std::string& address, TimePoint now) EXCLUDES(mutex_);
  std::size_t total() const { return total_.load(std::memory_order_relaxed); }
  std::size_t networks() const EXCLUDES(mutex_);

 private:
  struct Visitor {
    std::uint32_t connections = 0;
    Allowance handshakes, bad;
    Duration ban{};  // the last one's length
    TimePoint banned_till;
  };
  Visitor& Find(std::string network, TimePoint now) REQUIRES(mutex_);
  bool IsForgettable(const Visitor& visitor, TimePoint now) const;

  const VisitorLimits limits_;
  std::atomic<std::size_t> total_ = 0;
  mutable Mutex mutex_;
  std::unordered_map<std::string, Visitor> visitors_ GUARDED_BY(mutex_);
  std::size_t sweep_at_ GUARDED_BY(mutex_) = 1024;
};

}  // namespace dare::server

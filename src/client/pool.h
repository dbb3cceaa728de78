#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "client/config.h"
#include "client/connection.h"

namespace dare::client {

// What may be done with a request whose answer did not come.
enum class Repeatable : std::uint8_t {
  kNo,   // it changes something: repeated only when it surely was not sent
  kYes,  // asking twice is as good as asking once
};

// A Pool keeps connections to several key servers that share one store. Servers are used in the
// order of the configuration; one that cannot be reached is left out for a while (1 s, doubling to
// 30 s) unless all are. A request that the network swallowed is repeated once, on another
// connection and, where there is one, another server. What a server answered is never asked again.
//
// At most Config::connections are open; who finds them all in use waits. Idle ones are closed
// after Config::idle_timeout. Thread-safe.
class Pool {
 public:
  struct Options {
    ttlv::Limits limits;
    const std::atomic<bool>* cancelled = nullptr;  // when it turns true, waiting ends: kIo, EINTR
    const Clock* clock = &SystemClock::Get();
  };

  Pool(const Config& config, std::shared_ptr<TlsContext> tls, Options options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Sends `message` and gives the answer. An error is kTimeout or kUnavailable when no server gave
  // one; for kNo the message says so when it is unknown whether the request was carried out.
  Result<WipingBytes> Exchange(ByteView message, Repeatable repeatable);

  // Connects to one server, whatever its health (for `dare ping`).
  Result<std::unique_ptr<Connection>> Connect(const Endpoint& endpoint);

  const std::vector<Endpoint>& endpoints() const { return config_.servers; }
  const ttlv::Limits& limits() const { return options_.limits; }
  // The time one operation may take, from now.
  Deadline NewDeadline() const { return {config_.request_timeout, options_.cancelled}; }
  // Kept and not in use now.
  std::size_t idle() const EXCLUDES(mutex_);

 private:
  struct Server;
  struct Idle;
  struct Lease;

  // A kept connection to the best server, or a new one; servers in `tried` only when no other is
  // left.
  Result<Lease> Borrow(std::vector<bool>& tried, const Deadline& deadline) EXCLUDES(mutex_);
  // Waits for a place and takes it, with a kept connection to the best server where there is one:
  // in one step, so that nobody closes that connection to make room.
  Result<Lease> AwaitPlace(const std::vector<bool>& tried, const Deadline& deadline)
      EXCLUDES(mutex_);
  // Dead and old ones found on the way go to `dropped`, to be closed after the lock is given up.
  std::unique_ptr<Connection> TakeIdle(std::size_t server, std::vector<Idle>& dropped)
      REQUIRES(mutex_);
  // Servers in the order in which to try them.
  std::vector<std::size_t> Order() const REQUIRES(mutex_);
  void GiveBack(Lease lease) EXCLUDES(mutex_);
  void Leave() EXCLUDES(mutex_);
  void Report(std::size_t server, bool reachable) EXCLUDES(mutex_);

  const Config config_;
  const std::shared_ptr<TlsContext> tls_;
  const Options options_;

  mutable Mutex mutex_;
  CondVar place_free_;
  std::vector<Server> servers_ GUARDED_BY(mutex_);
  std::vector<Idle> idle_ GUARDED_BY(mutex_);  // the latest used at the end
  std::uint32_t in_use_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::client

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "client/config.h"
#include "client/connection.h"

namespace dare::client {

// A request message, and what may be done when its answer does not come. Borrowed bytes.
struct Question {
  ByteView message;
  // What is sent when it is unknown whether a server did `message`, or one says that it failed;
  // empty: nothing may be. The same bytes where asking twice is as good as asking once; else such
  // as the server recognises (kmip/request_identity.h).
  ByteView again;
  bool changes = false;  // for the error, when it stays unknown
};

struct Reply {
  WipingBytes answer;
  bool repeated = false;  // to Question::again: an earlier server may have done it
};

// A Pool keeps connections to several key servers that share one store. Servers are used in the
// order of the configuration: load is not spread. One that does not answer, or says that it failed
// itself (Options::failed), rests: as long as others answer, no call is sent to it. After a while
// (1 s, doubling to 30 s) the next call has a thread of the pool ask it for its versions, and only
// when it answers that it is used again. When none answers, all are tried, the one that rests
// shortest first.
//
// A request that the network swallowed, and that may be repeated, is repeated on another connection
// and, where there are some, on each other server in turn; so is one of which a server says that it
// failed. Any other answer is final. While there are other servers to ask, one gets at most half of
// the time that is left.
//
// At most Config::connections are open; who finds them all in use waits. Idle ones are closed
// after Config::idle_timeout. Thread-safe.
class Pool {
 public:
  struct Options {
    ttlv::Limits limits;
    const std::atomic<bool>* cancelled = nullptr;  // when it turns true, waiting ends: kIo, EINTR
    // Whether an answer says that the server is to blame, so that another one may do better.
    bool (*failed)(ByteView answer) = nullptr;
    WipingBytes probe;  // a message that any healthy server answers and that changes nothing
    const Clock* clock = &SystemClock::Get();
  };

  Pool(const Config& config, std::shared_ptr<TlsContext> tls, Options options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Sends the message and gives the answer. An error is kTimeout or kUnavailable when no server
  // gave one; it says so when it is unknown whether a change was carried out.
  Result<Reply> Exchange(const Question& question, const Deadline& deadline);

  // Which of Config::servers the next call goes to.
  std::size_t Preferred() const EXCLUDES(mutex_);
  // Connects to that server, for the caller's own use: it is none of Config::connections. A server
  // that does not answer rests.
  struct Own {
    std::unique_ptr<Connection> connection;
    std::size_t server = 0;
  };
  Result<Own> ConnectToPreferred(const Deadline& deadline) EXCLUDES(mutex_);
  // Connects to one server, whatever its health (for `dare ping`).
  Result<std::unique_ptr<Connection>> Connect(const Endpoint& endpoint);

  const Config& config() const { return config_; }
  const ttlv::Limits& limits() const { return options_.limits; }
  // The time one operation may take, from now.
  Deadline NewDeadline() const { return {config_.request_timeout, options_.cancelled}; }
  // How many were sent to a server until now.
  std::uint64_t messages() const { return messages_.load(std::memory_order_relaxed); }
  // Kept and not in use now.
  std::size_t idle() const EXCLUDES(mutex_);

 private:
  struct Server;
  struct Idle;
  struct Lease;
  struct Course;

  // One try, and what follows from it: an answer, an error, or nothing where it is to be tried
  // again.
  Result<std::optional<WipingBytes>> Try(const Question& question, Course& course) EXCLUDES(mutex_);
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
  // Back among the idle ones, whatever that says of its server.
  void Keep(Lease lease) EXCLUDES(mutex_);
  void Leave() EXCLUDES(mutex_);
  void Report(std::size_t server, bool answers) EXCLUDES(mutex_);

  // Has those looked at that rested long enough, while others answer.
  void WantProbes() REQUIRES(mutex_);
  // The work of the pool's thread.
  void ProbeUntilEnd() EXCLUDES(mutex_);
  std::optional<std::size_t> AwaitProbe() EXCLUDES(mutex_);
  void Probe(std::size_t server) EXCLUDES(mutex_);
  bool AnswersProbe(std::size_t server) EXCLUDES(mutex_);
  bool TakePlace() EXCLUDES(mutex_);

  const Config config_;
  const std::shared_ptr<TlsContext> tls_;
  const Options options_;

  std::atomic<std::uint64_t> messages_{0};

  mutable Mutex mutex_;
  CondVar place_free_;
  std::vector<Server> servers_ GUARDED_BY(mutex_);
  std::vector<Idle> idle_ GUARDED_BY(mutex_);  // the latest used at the end
  std::uint32_t in_use_ GUARDED_BY(mutex_) = 0;
  CondVar probe_wanted_;
  std::atomic<bool> ending_{false};  // set with mutex_ held
  std::jthread prober_ GUARDED_BY(mutex_);
};

}  // namespace dare::client

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/connection.h"
#include "server/mailbox.h"
#include "server/visitors.h"

namespace dare::server {

// How much one listener takes. Constant after the server has started.
struct Limits {
  VisitorLimits visitors;
  std::uint32_t half_open = 1024;  // handshakes under way; past it the oldest gives way
  Duration handshake = std::chrono::seconds(10);
  Duration message = std::chrono::seconds(10);  // from a message's first byte to its last
  Duration idle = std::chrono::seconds(600);
  Duration write = std::chrono::seconds(30);  // without one byte of progress
  Duration linger = std::chrono::seconds(2);  // after our last word
  // How often a client that asks too much is looked at.
  Duration slowed = std::chrono::milliseconds(10);
  Duration shutdown = std::chrono::seconds(10);
  std::size_t buffered_answer_bytes = 256u << 10;  // per connection; reading pauses above
  // How often open connections are compared with revocations and the clock.
  Duration recheck = std::chrono::milliseconds(500);
};

// Why a connection was refused or cut, for the audit log and the metrics.
enum class Refusal : std::uint8_t {
  kHandshake,    // `handshake` says why
  kTooMany,      // a connection limit, or it comes too often
  kBanned,       // its connections kept failing: the address is turned away from now on
  kSlowed,       // it asks more than it may, and has to wait; once a minute at most
  kTimeout,      // handshake, message or write time-out; not idleness
  kMalformed,    // the framing refused it
  kRevoked,      // certificate revoked while connected
  kLockedOut,    // an administrator does not let the peer in
  kNotKnown,     // what is revoked could not be found out
  kExpired,      // certificate expired while connected
  kNotRecorded,  // Flush() failed: answers withheld
};

struct RefusalEvent {
  Refusal refusal = Refusal::kHandshake;
  HandshakeFailure handshake = HandshakeFailure::kProtocol;
  Peer peer;           // as far as known
  std::string detail;  // for the log
};
// Called on loop threads; must be thread-safe and quick.
using RefusalObserver = std::function<void(const RefusalEvent&)>;

// What all loops of one server share. Outlives them; constant but for who is there and what
// they have used up.
struct Shared {
  Limits limits;
  const TlsContext* tls = nullptr;
  const Framing* framing = nullptr;
  RequestHandler* handler = nullptr;
  RefusalObserver observer;
  std::unique_ptr<Visitors> visitors;
  std::shared_ptr<Accounts> accounts;
  std::size_t half_open_each = 1;  // of Limits::half_open, for one loop
};

// A Loop is one thread that serves its connections, tick by tick (see RequestHandler): wait, read
// and handle everything that is ready, Flush, write the answers. The first loop of a server also
// accepts, and gives each new socket to the loop with the fewest connections.
// Everything private belongs to the loop's thread; Stop(), mailbox() and load() are for others.
class Loop {
 public:
  static Result<std::unique_ptr<Loop>> Make(const Shared& shared);
  ~Loop();  // Abandon() and Join()
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Before Start, on one loop only: takes over the listening socket; sockets are shared out among
  // `loops`, which outlive this one's thread.
  void Listen(FileDescriptor listener, std::vector<Loop*> loops);
  void Start();
  // Accept no more, finish what is in flight within Limits::shutdown, end. Join() waits for it.
  void Stop() { mailbox_->PostStop(); }
  // Ends without grace. Join() waits for it.
  void Abandon();
  void Join();
  std::size_t load() const { return load_.load(std::memory_order_relaxed); }

 private:
  Loop(const Shared& shared, FileDescriptor epoll, std::shared_ptr<Mailbox> mailbox);

  // loop.cc: the ticks
  void Run();
  bool Tick();
  int WaitMilliseconds() const;
  void TakeMail();
  void Accept();
  void Adopt(AcceptedSocket socket);
  void BeginStop();
  void Recheck();
  void ExpireTimers();

  // loop_connections.cc: one connection within a tick
  void Touch(Connection& c);
  void OnEvent(Connection& c, std::uint32_t events);
  void Progress(Connection& c);
  bool Establish(Connection& c);
  void HandleMessages(Connection& c);
  bool HandleOne(Connection& c, ByteView message);
  void TellToGoAhead(Connection& c);
  void OnLateAnswer(LateAnswer& answer);
  void OnPush(LateAnswer& message);
  void FlushTick();
  void FinishTouched();
  void Finish(Connection& c);
  void SetTimer(Connection& c);
  static TimerKind WaitsFor(const Connection& c);
  void SetInterest(Connection& c);
  void Close(Connection& c);   // politely: what is queued goes out first
  void Linger(Connection& c);  // everything is said; wait for the peer to have read it
  void Kill(Connection& c);
  void Erase(Connection& c);
  void Again(Connection& c);  // it has more to do in the next tick, event or not
  void TakeSpare(Connection& c);
  void Refuse(const Connection& c, Refusal refusal, std::string detail);
  void Blame(const Connection& c);
  void MakeRoom();
  bool SlowDown(Connection& c);
  bool RefuseUnwelcome(const Connection& c, const std::string& while_what);
  bool MayHandle(const Connection& c) const;

  const Shared& shared_;
  const FileDescriptor epoll_;
  const std::shared_ptr<Mailbox> mailbox_;
  FileDescriptor listener_;
  std::vector<Loop*> loops_;  // of the accepting loop only
  std::atomic<std::size_t> load_ = 0;

  TimerLists timers_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_id_ = kFirstConnection;
  std::vector<Connection*> touched_;
  std::vector<Connection*> again_, again_now_;
  std::vector<std::uint8_t> scratch_;
  WipingBytes spare_;
  TimePoint now_;
  // What the next tick may spend on handshakes, and half as much on accepting. One costs as much as
  // a hundred requests: clients that are in do not wait for many of them, and those that come in
  // get their share of a long tick, so that busy clients keep nobody out.
  static constexpr Duration kHandshakeTime = std::chrono::milliseconds(1);
  Duration handshake_time_ = kHandshakeTime;
  Duration turn_{};  // what one connection may take of this tick
  TimePoint next_recheck_;
  TimePoint stop_deadline_ = TimePoint::max();
  std::uint64_t revocation_generation_ = 0;
  bool answered_ = false;  // this tick has answers that wait for Flush()
  bool stopping_ = false;
  bool listener_paused_ = false;  // out of file descriptors
  std::jthread thread_;

  static constexpr std::uint64_t kMailboxEvent = 1, kListenerEvent = 2, kFirstConnection = 16;
};

}  // namespace dare::server

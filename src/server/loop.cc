#include "server/loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace dare::server {
namespace {

constexpr std::size_t kScratchBytes = 16384;
constexpr int kEventsPerTick = 256;
constexpr int kAcceptsPerTick = 256;
// How long those that have much to ask together hold up one that asks little, and the turns of
// each.
constexpr std::chrono::milliseconds kRound{8};
constexpr std::chrono::microseconds kShortestTurn{25}, kLongestTurn{250};
constexpr int kHandshakeShare = 4;  // of a tick: see handshake_time_

AcceptedSocket Describe(FileDescriptor fd, const sockaddr_storage& from) {
  AcceptedSocket socket;
  socket.fd = std::move(fd);
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    socket.port = ntohs(v6.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
  } else {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    socket.port = ntohs(v4.sin_port);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  }
  socket.address = text;
  return socket;
}

bool Watch(int epoll, int fd, std::uint64_t what) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = what;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Result<std::unique_ptr<Loop>> Loop::Make(const Shared& shared) {
  FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return IoError("cannot make an epoll", errno);
  std::shared_ptr<Mailbox> mailbox = TRY(Mailbox::Make());
  if (!Watch(epoll.get(), mailbox->event_fd(), kMailboxEvent)) {
    return IoError("cannot watch an eventfd", errno);
  }
  return std::unique_ptr<Loop>(new Loop(shared, std::move(epoll), std::move(mailbox)));
}

Loop::Loop(const Shared& shared, FileDescriptor epoll, std::shared_ptr<Mailbox> mailbox)
    : shared_(shared),
      epoll_(std::move(epoll)),
      mailbox_(std::move(mailbox)),
      timers_({shared.limits.handshake, shared.limits.message, shared.limits.idle,
               shared.limits.write, shared.limits.linger, shared.limits.slowed}),
      scratch_(kScratchBytes) {}

Loop::~Loop() {
  Abandon();
  Join();
  mailbox_->Close();
}

void Loop::Abandon() {
  thread_.request_stop();
  mailbox_->PostStop();
}

void Loop::Listen(FileDescriptor listener, std::vector<Loop*> loops) {
  listener_ = std::move(listener);
  loops_ = std::move(loops);
  CHECK(Watch(epoll_.get(), listener_.get(), kListenerEvent));
}

void Loop::Start() {
  thread_ = std::jthread([this](const std::stop_token& token) {
    now_ = std::chrono::steady_clock::now();
    next_recheck_ = now_ + shared_.limits.recheck;
    if (shared_.tls->revocation() != nullptr) {
      revocation_generation_ = shared_.tls->revocation()->generation();
    }
    while (!token.stop_requested() && Tick()) {
    }
    mailbox_->Close();
    for (auto& [id, c] : connections_) shared_.visitors->Leave(c->address);
    connections_.clear();
  });
}

void Loop::Join() {
  if (thread_.joinable()) thread_.join();
}

// One turn: wait, read and handle, flush, write. False when the loop has nothing left to do.
bool Loop::Tick() {
  std::array<epoll_event, kEventsPerTick> events;
  const int n = ::epoll_wait(epoll_.get(), events.data(), kEventsPerTick, WaitMilliseconds());
  now_ = std::chrono::steady_clock::now();
  const std::size_t busy = again_.size() + static_cast<std::size_t>(std::max(n, 1));
  turn_ = std::clamp<Duration>(kRound / busy, kShortestTurn, kLongestTurn);
  bool mail = false;
  Duration handshaking{};
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const std::uint64_t id = event.data.u64;  // a copy: the structure is packed
    if (id == kMailboxEvent) {
      mail = true;
    } else if (id == kListenerEvent) {
      Accept();
    } else if (auto found = connections_.find(id); found != connections_.end()) {
      Connection& c = *found->second;
      if (c.phase != Connection::Phase::kHandshake) {
        OnEvent(c, event.events);
      } else if (handshaking < handshake_time_) {  // the next tick hears of the others again
        const TimePoint begun = std::chrono::steady_clock::now();
        OnEvent(c, event.events);
        handshaking += std::chrono::steady_clock::now() - begun;
      }
    }
  }
  if (mail) TakeMail();
  again_now_.swap(again_);
  for (Connection* c : again_now_) {
    c->again = false;
    Touch(*c);
    Progress(*c);
  }
  again_now_.clear();
  FlushTick();
  ExpireTimers();
  if (now_ >= next_recheck_) Recheck();
  FinishTouched();
  handshake_time_ = std::max<Duration>(kHandshakeTime,
                                       (std::chrono::steady_clock::now() - now_) / kHandshakeShare);
  return !(stopping_ && (connections_.empty() || now_ >= stop_deadline_));
}

int Loop::WaitMilliseconds() const {
  if (!again_.empty()) return 0;
  TimePoint until = std::min(next_recheck_, stop_deadline_);
  if (const auto next = timers_.NextDeadline()) until = std::min(until, *next);
  if (connections_.empty() && !stopping_ && !listener_paused_) return -1;  // nobody to watch over
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Loop::TakeMail() {
  Mail mail = mailbox_->Take();
  for (AcceptedSocket& socket : mail.sockets) Adopt(std::move(socket));
  for (LateAnswer& answer : mail.answers) OnLateAnswer(answer);
  for (LateAnswer& message : mail.pushes) OnPush(message);
  if (mail.stop && !stopping_) BeginStop();
}

void Loop::Accept() {
  const TimePoint end = std::chrono::steady_clock::now() + handshake_time_ / 2;
  for (int i = 0; i < kAcceptsPerTick; ++i) {
    if (std::chrono::steady_clock::now() >= end) return;
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    FileDescriptor fd(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &length,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EMFILE || errno == ENFILE) {
        log::Failure("no file descriptors left for a new connection; raise LimitNOFILE");
        // It would be reported again at once and for ever; Recheck() listens again.
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
        listener_paused_ = true;
      }
      return;
    }
    const int one = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    AcceptedSocket socket = Describe(std::move(fd), from);
    if (const auto refused = shared_.visitors->Enter(socket.address, now_)) {
      RefusalEvent event;
      event.refusal = Refusal::kTooMany;
      event.peer.address = socket.address;
      event.peer.port = socket.port;
      event.detail = *refused;
      if (shared_.observer) shared_.observer(event);
      continue;  // closes it
    }
    const auto least = std::min_element(loops_.begin(), loops_.end(),
                                        [](Loop* a, Loop* b) { return a->load() < b->load(); });
    (*least)->load_.fetch_add(1, std::memory_order_relaxed);
    if (*least == this) {
      Adopt(std::move(socket));
    } else {
      (*least)->mailbox_->Post(std::move(socket));
    }
  }
}

void Loop::Adopt(AcceptedSocket socket) {
  auto ssl = shared_.tls->NewSession(socket.fd.get());
  const std::uint64_t id = next_id_++;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  if (!ssl || stopping_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.fd.get(), &event) != 0) {
    if (!ssl) log::Failure(ssl.error().message);
    shared_.visitors->Leave(socket.address);
    load_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  auto connection = std::make_unique<Connection>(id, std::move(socket.fd), std::move(*ssl),
                                                 std::move(socket.address), socket.port);
  connection->interest = EPOLLIN;
  connection->timer.owner = connection.get();
  Connection& c = *connection;
  connections_.emplace(id, std::move(connection));
  Touch(c);
  timers_.Start(c.timer, TimerKind::kHandshake, now_);
  MakeRoom();
}

// Who holds handshakes open must not keep others out: the oldest goes.
void Loop::MakeRoom() {
  if (timers_.Count(TimerKind::kHandshake) <= shared_.half_open_each) return;
  Timer* oldest = timers_.Oldest(TimerKind::kHandshake);
  Connection& c = *oldest->owner;
  timers_.Remove(*oldest);
  Refuse(c, Refusal::kTooMany, "too many unfinished handshakes");
  Blame(c);
  Touch(c);
  Kill(c);
}

void Loop::BeginStop() {
  stopping_ = true;
  stop_deadline_ = now_ + shared_.limits.shutdown;
  listener_.Close();
  for (auto& [id, c] : connections_) {
    Touch(*c);
    const bool in_flight = c->deferred || c->queued() != 0 || c->has_input();
    if (c->phase == Connection::Phase::kHandshake) {
      Kill(*c);
    } else if (c->phase == Connection::Phase::kOpen && !in_flight) {
      Close(*c);
    }
  }
}

// Certificates can be revoked or run out while their connections are open, and busy ones come to
// rest.
void Loop::Recheck() {
  next_recheck_ = now_ + shared_.limits.recheck;
  if (listener_paused_ && listener_) {
    listener_paused_ = !Watch(epoll_.get(), listener_.get(), kListenerEvent);
  }
  const Revocation* revocation = shared_.tls->revocation();
  const std::uint64_t generation = revocation != nullptr ? revocation->generation() : 0;
  const bool changed = std::exchange(revocation_generation_, generation) != generation;
  const std::int64_t wall = shared_.tls->clock().Now();
  for (auto& [id, c] : connections_) {
    c->LookForRest();
    if (c->phase != Connection::Phase::kOpen || c->caller.peer == nullptr) continue;
    const Peer& peer = *c->caller.peer;
    if (!peer.authenticated()) continue;
    if (peer.not_after < wall) {
      Refuse(*c, Refusal::kExpired, "certificate expired while connected");
    } else if (!changed || !RefuseUnwelcome(*c, "while connected")) {
      continue;
    }
    Touch(*c);
    Kill(*c);
  }
}

void Loop::ExpireTimers() {
  while (Timer* timer = timers_.Pop(now_)) {
    Connection* c = timer->owner;
    Touch(*c);
    switch (timer->kind) {
      case TimerKind::kHandshake:
        Refuse(*c, Refusal::kTimeout, "handshake time-out");
        Blame(*c);
        break;
      case TimerKind::kMessage:
        Refuse(*c, Refusal::kTimeout, "message time-out");
        Blame(*c);
        break;
      case TimerKind::kWrite:
        Refuse(*c, Refusal::kTimeout, "write time-out");
        break;
      case TimerKind::kIdle:
        Close(*c);
        continue;
      case TimerKind::kSlowed:
        c->slowed = false;
        Again(*c);
        continue;
      case TimerKind::kLinger:
      case TimerKind::kNone:
        break;
    }
    Kill(*c);
  }
}

}  // namespace dare::server

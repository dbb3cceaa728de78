// What a loop does with one connection within a tick; loop.cc has the ticks themselves.
#include <openssl/err.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "crypto/x509.h"
#include "server/loop.h"

namespace dare::server {
namespace {

// One busy connection must not keep the others waiting: so many messages in a tick at most, and no
// other one after turn_.
constexpr int kMessagesPerTurn = 64;

}  // namespace

void Loop::Touch(Connection& c) {
  if (std::exchange(c.touched, true)) return;
  touched_.push_back(&c);
}

void Loop::Again(Connection& c) {
  if (std::exchange(c.again, true)) return;
  again_.push_back(&c);
}

bool Loop::MayHandle(const Connection& c) const {
  return c.phase == Connection::Phase::kOpen && !c.deferred && !c.slowed &&
         c.queued() < shared_.limits.buffered_answer_bytes;
}

void Loop::OnEvent(Connection& c, std::uint32_t events) {
  Touch(c);
  const bool gone = (events & (EPOLLERR | EPOLLHUP)) != 0;
  switch (c.phase) {
    case Connection::Phase::kHandshake:
      return Progress(c);
    case Connection::Phase::kOpen:
      if (MayHandle(c) && !c.end_of_input) return Progress(c);
      if (gone) return Kill(c);
      // Pipelined requests behind a deferred one: TCP holds them until it is answered.
      if ((events & EPOLLIN) != 0 && c.deferred) c.hold_reading = true;
      return;
    case Connection::Phase::kClosing:
      if (gone) Kill(c);
      return;
    case Connection::Phase::kLingering:
      if (c.Drain(scratch_) == Step::kEnd) Kill(c);
      return;
    case Connection::Phase::kDead:
      return;
  }
}

void Loop::Progress(Connection& c) {
  c.read_wants_write = false;
  if (c.phase == Connection::Phase::kHandshake && !Establish(c)) return;
  if (c.phase != Connection::Phase::kOpen) return;
  HandleMessages(c);
  c.KeepInput(scratch_);
}

bool Loop::Establish(Connection& c) {
  switch (c.Handshake()) {
    case Step::kDone:
      break;
    case Step::kWantRead:
      return false;
    case Step::kWantWrite:
      c.read_wants_write = true;
      return false;
    default: {
      RefusalEvent event;
      event.handshake = TlsContext::FailureOf(c.ssl(), event.peer);
      event.detail = crypto::TakeOpenSslError();
      event.peer.address = c.address;
      event.peer.port = c.port;
      if (shared_.observer) shared_.observer(event);
      // Who is locked out proved who he is: others at his address shall not pay for him.
      if (event.handshake != HandshakeFailure::kNotKnown &&
          event.handshake != HandshakeFailure::kLockedOut) {
        Blame(c);
      }
      Linger(c);  // the alert has gone out; closing at once could destroy it
      return false;
    }
  }
  auto peer = TlsContext::PeerOf(c.ssl());
  if (!peer) {
    log::Failure(peer.error().message);
    Kill(c);
    return false;
  }
  peer->address = c.address;
  peer->port = c.port;
  c.caller.peer = std::make_shared<const Peer>(std::move(*peer));
  // Its verification may lie back as far as the peer could draw the handshake out, and Recheck()
  // passes by connections that are not open yet.
  if (RefuseUnwelcome(c, "while connecting")) {
    Kill(c);
    return false;
  }
  c.caller.principal = shared_.handler->Meet(*c.caller.peer);
  const Peer& who = *c.caller.peer;
  c.account = who.authenticated() ? shared_.accounts->OfPrincipal(who.common_name, now_)
                                  : shared_.accounts->OfStranger(who.address, now_);
  c.phase = Connection::Phase::kOpen;
  return true;
}

// True when the client of `c` asked more than it may, and what it asks next has to wait: TCP holds
// it back, and nothing is lost.
bool Loop::SlowDown(Connection& c) {
  if (c.account->Wait(now_) == Duration::zero()) return false;
  c.slowed = true;
  if (c.account->MayTell(now_)) Refuse(c, Refusal::kSlowed, "asks more than it may");
  return true;
}

void Loop::HandleMessages(Connection& c) {
  int turns = kMessagesPerTurn;
  const TimePoint end_of_turn = std::chrono::steady_clock::now() + turn_;
  ByteView message;
  while (MayHandle(c)) {
    if (turns-- == 0) return Again(c);
    if (SlowDown(c)) return;
    switch (c.NextMessage(*shared_.framing, scratch_, message)) {
      case Step::kDone:
        if (!HandleOne(c, message)) return;
        if (std::chrono::steady_clock::now() >= end_of_turn) turns = 0;
        break;
      case Step::kWantRead:
        return TellToGoAhead(c);
      case Step::kWantWrite:
        c.read_wants_write = true;
        return;
      case Step::kEnd:
        c.end_of_input = true;
        return;
      case Step::kBroken:
        return Kill(c);
      case Step::kRefused: {
        Refuse(c, Refusal::kMalformed, c.error().message);
        Blame(c);
        WipingBytes last_word = shared_.framing->Refusal(c.error());
        c.Queue(last_word);
        return Close(c);
      }
    }
  }
  if (c.phase == Connection::Phase::kOpen && !c.deferred) c.paused = true;
}

// A peer may wait for our word in the middle of a message.
void Loop::TellToGoAhead(Connection& c) {
  if (!c.has_input() || c.told_to_go_ahead) return;
  WipingBytes word = shared_.framing->GoAhead(c.input());
  if (word.empty()) return;
  c.told_to_go_ahead = true;
  c.Queue(word);
}

// False when the connection has to wait or ends: its next message is not to be handled.
bool Loop::HandleOne(Connection& c, ByteView message) {
  c.active_now = true;
  c.told_to_go_ahead = false;
  c.NoteMessage();
  c.account->SpendRequest(now_);
  c.account->SpendBytes(message.size(), now_);
  WipingBytes answer = std::exchange(spare_, {});
  const Handled handled =
      shared_.handler->Handle(message, c.caller, ReplyTo(mailbox_, c.id), answer);
  const bool answered = handled == Handled::kAnswered || handled == Handled::kAnsweredAndClose;
  if (answered) {
    c.account->SpendBytes(answer.size(), now_);
    c.Queue(answer);
    c.answered_now = true;
    answered_ = true;
  }
  if (spare_.capacity() == 0 && answer.empty()) spare_.swap(answer);
  switch (handled) {
    case Handled::kAnswered:
    case Handled::kTaken:
      return true;
    case Handled::kLater:
      c.deferred = true;
      return false;
    case Handled::kAnsweredAndClose:
    case Handled::kRefused:
      Close(c);
      return false;
  }
  return false;
}

void Loop::OnLateAnswer(LateAnswer& answer) {
  const auto found = connections_.find(answer.connection);
  if (found == connections_.end()) return;
  Connection& c = *found->second;
  if (!c.deferred) return;
  Touch(c);
  c.deferred = false;
  c.hold_reading = false;
  c.active_now = true;
  if (!answer.bytes) return Close(c);
  const Handled finished = answer.finish ? answer.finish(*answer.bytes) : Handled::kAnswered;
  c.account->SpendBytes(answer.bytes->size(), now_);
  c.Queue(*answer.bytes);
  if (finished != Handled::kAnswered) return Close(c);
  if (c.has_pending()) Progress(c);
}

void Loop::OnPush(LateAnswer& message) {
  const auto found = connections_.find(message.connection);
  if (found == connections_.end() || found->second->phase != Connection::Phase::kOpen) return;
  Connection& c = *found->second;
  Touch(c);
  c.active_now = true;
  c.Queue(*message.bytes);
}

void Loop::FlushTick() {
  if (!std::exchange(answered_, false)) return;
  const Result<void> flushed = shared_.handler->Flush();
  if (flushed) return;
  log::Failure("answers withheld: " + flushed.error().message);
  for (Connection* c : touched_) {
    if (!c->answered_now) continue;
    Refuse(*c, Refusal::kNotRecorded, flushed.error().message);
    Kill(*c);
  }
}

void Loop::FinishTouched() {
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    Connection& c = *touched_[i];
    if (c.phase != Connection::Phase::kDead) Finish(c);
    c.touched = c.answered_now = c.active_now = false;
    if (c.phase == Connection::Phase::kDead) Erase(c);
  }
  touched_.clear();
}

// The end of a connection's tick: write, then decide what it waits for.
void Loop::Finish(Connection& c) {
  using Phase = Connection::Phase;
  if (c.queued() != 0 && (c.phase == Phase::kOpen || c.phase == Phase::kClosing)) {
    const Step step = c.WriteQueued();
    if (step == Step::kBroken || step == Step::kEnd) return Kill(c);
    if (step == Step::kDone) TakeSpare(c);
  }
  if (c.phase == Phase::kOpen && !c.deferred && c.queued() == 0) {
    if (c.end_of_input && !c.paused && !c.slowed && !c.again)
      Close(c);  // half a message, and no more to come
    if (stopping_ && !c.has_input()) Close(c);
  }
  if (c.paused && MayHandle(c)) {
    c.paused = false;
    Again(c);
  }
  if (c.phase == Phase::kClosing && c.queued() == 0) Linger(c);
  if (c.phase == Phase::kDead) return;
  SetTimer(c);
  SetInterest(c);
}

void Loop::TakeSpare(Connection& c) {
  WipingBytes buffer = c.TakeSpare();
  if (spare_.capacity() == 0) spare_ = std::move(buffer);
}

TimerKind Loop::WaitsFor(const Connection& c) {
  switch (c.phase) {
    case Connection::Phase::kHandshake:
      return TimerKind::kHandshake;
    case Connection::Phase::kOpen:
      if (c.queued() != 0) return TimerKind::kWrite;
      if (c.deferred) return TimerKind::kNone;  // the wait is ours, not the peer's
      if (c.slowed) return TimerKind::kSlowed;
      return c.has_input() ? TimerKind::kMessage : TimerKind::kIdle;
    case Connection::Phase::kClosing:
      return TimerKind::kWrite;
    case Connection::Phase::kLingering:
      return TimerKind::kLinger;
    case Connection::Phase::kDead:
      return TimerKind::kNone;
  }
  return TimerKind::kNone;
}

void Loop::SetTimer(Connection& c) {
  const TimerKind kind = WaitsFor(c);
  // A peer that drips bytes does not move the deadline of its handshake or message.
  if (kind != c.timer.kind || c.active_now) timers_.Start(c.timer, kind, now_);
}

void Loop::SetInterest(Connection& c) {
  std::uint32_t want = 0;
  switch (c.phase) {
    case Connection::Phase::kHandshake:
      want = c.read_wants_write ? EPOLLOUT : EPOLLIN;
      break;
    case Connection::Phase::kOpen:
      if (!c.end_of_input && !c.hold_reading && !c.paused && !c.slowed) want |= EPOLLIN;
      if (c.write_blocked() || c.read_wants_write) want |= EPOLLOUT;
      break;
    case Connection::Phase::kClosing:
      want = EPOLLOUT;
      break;
    case Connection::Phase::kLingering:
      want = EPOLLIN;
      break;
    case Connection::Phase::kDead:
      return;
  }
  if (want == c.interest) return;
  epoll_event event{};
  event.events = want;
  event.data.u64 = c.id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, c.fd(), &event) != 0) return Kill(c);
  c.interest = want;
}

void Loop::Close(Connection& c) {
  if (c.phase == Connection::Phase::kOpen) c.phase = Connection::Phase::kClosing;
}

void Loop::Linger(Connection& c) {
  c.ShutOurSide();
  c.phase = Connection::Phase::kLingering;
  if (c.Drain(scratch_) == Step::kEnd) Kill(c);
}

void Loop::Kill(Connection& c) { c.phase = Connection::Phase::kDead; }

void Loop::Erase(Connection& c) {
  timers_.Remove(c.timer);
  if (c.again) std::erase(again_, &c);
  shared_.visitors->Leave(c.address);
  load_.fetch_sub(1, std::memory_order_relaxed);
  connections_.erase(c.id);
}

// A connection came to nothing by its peer's fault. Whoever proved who he is answers for it
// himself, not everybody else at his address.
void Loop::Blame(const Connection& c) {
  const bool proven = c.caller.peer != nullptr && c.caller.peer->authenticated();
  if (proven) {
    if (c.account != nullptr) c.account->SpendBad(now_);
  } else if (shared_.visitors->Blame(c.address, now_)) {
    Refuse(c, Refusal::kBanned, "its connections keep failing");
  }
}

// True for a peer that is not to stay, by what is known of it beside its certificate.
bool Loop::RefuseUnwelcome(const Connection& c, const std::string& while_what) {
  const Revocation* revocation = shared_.tls->revocation();
  const Peer& peer = *c.caller.peer;
  if (revocation == nullptr || !peer.authenticated()) return false;
  switch (revocation->StandingOf(peer.serial, peer.common_name, peer.chain.get())) {
    case Standing::kGood:
      break;
    case Standing::kRevoked:
      Refuse(c, Refusal::kRevoked, "certificate revoked " + while_what);
      return true;
    case Standing::kNotKnown:
      Refuse(c, Refusal::kNotKnown, "what is revoked is not known");
      return true;
  }
  if (!revocation->IsLockedOut(peer.common_name, peer.units)) return false;
  Refuse(c, Refusal::kLockedOut, "locked out " + while_what);
  return true;
}

void Loop::Refuse(const Connection& c, Refusal refusal, std::string detail) {
  if (!shared_.observer) return;
  RefusalEvent event;
  event.refusal = refusal;
  if (c.caller.peer != nullptr) event.peer = *c.caller.peer;
  event.peer.address = c.address;
  event.peer.port = c.port;
  event.detail = std::move(detail);
  shared_.observer(event);
}

}  // namespace dare::server

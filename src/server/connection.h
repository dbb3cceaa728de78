#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file.h"
#include "server/accounts.h"
#include "server/framing.h"
#include "server/handler.h"
#include "server/timers.h"
#include "server/tls.h"

namespace dare::server {

// What a step on a connection came to.
enum class Step : std::uint8_t {
  kDone,       // a whole message, a finished handshake, everything written
  kWantRead,   // needs bytes from the peer
  kWantWrite,  // needs room towards the peer
  kEnd,        // the peer has said its last
  kRefused,    // the framing refuses what came: see error()
  kBroken,     // lost, or not TLS: see error()
};

// A Connection is one peer's TLS stream, cut into messages. It does I/O when its loop tells it to
// and decides nothing: the loop does. An idle connection holds no buffers of ours.
// Belongs to one loop thread; closes its socket when it dies.
class Connection {
 public:
  enum class Phase : std::uint8_t {
    kHandshake,
    kOpen,
    kClosing,    // write what is queued, then close
    kLingering,  // our side is shut; wait a little for the peer to read what we said
    kDead,       // to be taken away at the end of the tick
  };

  Connection(std::uint64_t id, FileDescriptor fd, SslPtr ssl, std::string address,
             std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Step Handshake();
  // Looks for the next whole message in what came, reading into `scratch` (or a buffer of its own
  // once a message is split). On kDone, `message` is valid until the next call of NextMessage or
  // KeepInput.
  Step NextMessage(const Framing& framing, MutableBytes scratch, ByteView& message);
  // Input that was not handled yet is kept past the life of `scratch`. At the end of every tick.
  void KeepInput(MutableBytes scratch);
  // Queues an answer behind those that wait; `answer` comes back empty, with whatever buffer is
  // spare.
  void Queue(WipingBytes& answer);
  Step WriteQueued();
  // When everything is written: gives the empty buffer back for others.
  WipingBytes TakeSpare();
  // Tells the peer that nothing follows and shuts our side of the socket. When the handshake
  // failed, OpenSSL has sent its alert already.
  void ShutOurSide();
  // Reads and drops what the peer still sends, so that closing does not destroy what we said last.
  Step Drain(MutableBytes scratch);
  // A message was handled. While they come close to each other TLS keeps its buffers (some 33 KB):
  // to make and wipe them anew costs a tenth of a small request.
  void NoteMessage();
  // Called again and again, some time apart: gives the buffers back once hardly any message came in
  // between. What they still hold stays.
  void LookForRest();

  const std::uint64_t id;
  const std::string address;
  const std::uint16_t port;
  Phase phase = Phase::kHandshake;
  Caller caller;
  std::shared_ptr<Account> account;  // what its client has used up, once it is open
  Timer timer;
  std::uint32_t interest = 0;     // what epoll was told
  bool touched = false;           // in the loop's list of this tick
  bool again = false;             // has more to do without an event
  bool deferred = false;          // a Reply is out
  bool hold_reading = false;      // more came while a Reply was out
  bool told_to_go_ahead = false;  // within the message that is coming
  bool paused = false;            // too many answers wait to be read
  bool slowed = false;            // its client asked more than it may
  bool answered_now = false;      // an answer of this tick waits for Flush()
  bool active_now = false;        // a message was handled or an answer moved in this tick
  bool end_of_input = false;      // the peer will not ask again
  bool read_wants_write = false;  // TLS itself must write before it can go on

  int fd() const { return fd_.get(); }
  ssl_st* ssl() const { return ssl_.get(); }
  // Input that came and was not handled, whole messages or a part of one.
  bool has_input() const { return window_.size() != message_bytes_; }
  ByteView input() const { return window_.subspan(message_bytes_); }
  // The same, or TLS still holds something: epoll would not tell.
  bool has_pending() const;
  bool write_blocked() const { return write_blocked_; }
  std::size_t queued() const { return out_.size() - out_begin_; }
  const Error& error() const { return error_; }

 private:
  Step Read(MutableBytes scratch, std::size_t need);
  Step ReadInto(MutableBytes room, std::size_t& got);
  Step Broken(Error error);
  Step StepOf(int result);
  void WipeScratch(MutableBytes scratch);

  const FileDescriptor fd_;
  const SslPtr ssl_;
  WipingBytes in_;                 // empty unless a message is split or waits
  ByteView window_;                // input not yet handled: in scratch or at the end of in_
  std::size_t message_bytes_ = 0;  // of the message given last; taken off window_ at the next call
  std::size_t scratch_used_ = 0;   // bytes of scratch the window was cut from; 0: it is in in_
  bool read_in_this_tick_ = false;
  unsigned messages_since_look_ = 0;
  bool keeps_buffers_ = false;
  WipingBytes out_;
  std::size_t out_begin_ = 0;
  bool write_blocked_ = false;  // the socket is full
  Error error_{Code::kUnavailable, "the connection was lost"};
};

}  // namespace dare::server

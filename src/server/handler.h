#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "server/peer.h"

namespace dare::server {

class Mailbox;  // server/mailbox.h: how other threads reach a loop

// What a handler is told about who asks. Both live as long as the connection or as somebody holds
// them; `principal` is what RequestHandler::Meet gave for this connection (null by default).
struct Caller {
  std::shared_ptr<const Peer> peer;
  std::shared_ptr<const void> principal;
};

enum class Handled : std::uint8_t {
  kAnswered,          // the answer is in `answer`
  kAnsweredAndClose,  // the same, and the connection ends after it
  kLater,             // ReplyTo::Defer() was called and the Reply kept
  kTaken,             // no answer is due: it was itself one
  kRefused,           // no answer: the connection is closed
};

// What is done to a late answer on the loop's thread before it is written: another encoding, an
// HTTP header. Gives kAnswered or kAnsweredAndClose. Called once at most, and never when the
// connection is gone.
using Finish = std::function<Handled(WipingBytes& answer)>;

// A Reply is the right to answer one request later, exactly once, from any thread. It may outlive
// the connection, the loop and the server: then the answer is dropped. Dropping a Reply unanswered
// closes the connection, so that no client waits for ever. Move-only.
class Reply {
 public:
  Reply(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection, Finish finish = {})
      : mailbox_(std::move(mailbox)), connection_(connection), finish_(std::move(finish)) {}
  Reply(Reply&&) = default;
  Reply& operator=(Reply&& other) noexcept;
  ~Reply();
  // Gives the answer. What the answer reports must be durable and audited by now: Flush() is not
  // called for it.
  void Send(WipingBytes answer);

 private:
  std::shared_ptr<Mailbox> mailbox_;  // null once answered
  std::uint64_t connection_;
  Finish finish_;
};

// A Pusher is the right to send messages to a connection without being asked, from any thread,
// behind the answers that wait there. It may outlive everything, as a Reply may. What is sent must
// be durable by now.
class Pusher {
 public:
  Pusher(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection)
      : mailbox_(std::move(mailbox)), connection_(connection) {}
  void Send(WipingBytes message) const;

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::uint64_t connection_;
};

// Where the answer of the request being handled goes; costs nothing until Defer() is called.
// Valid only during Handle().
class ReplyTo {
 public:
  ReplyTo(const std::shared_ptr<Mailbox>& mailbox, std::uint64_t connection, Finish finish = {})
      : mailbox_(mailbox), connection_(connection), finish_(std::move(finish)) {}
  Reply Defer() const { return {mailbox_, connection_, finish_}; }
  // Nothing where messages are wrapped into something that has no place for them (HTTP).
  std::optional<Pusher> Push() const {
    if (finish_) return std::nullopt;
    return Pusher(mailbox_, connection_);
  }
  // The same place, for a handler whose answers go through `finish` first.
  ReplyTo Through(Finish finish) const { return {mailbox_, connection_, std::move(finish)}; }

 private:
  const std::shared_ptr<Mailbox>& mailbox_;
  std::uint64_t connection_;
  Finish finish_;
};

// A RequestHandler turns whole messages into whole messages. One handler serves all loop threads
// and must be thread-safe; it outlives the server that calls it.
//
// A loop works in ticks: it reads from every connection that is ready and calls Handle() for each
// whole request, then Flush() once, and only then writes the answers of that tick. So whatever must
// be durable before an answer leaves (audit records, grouped commits) is written once a tick.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  // Called on a loop thread when a handshake is done; what it gives comes back in
  // Caller::principal.
  virtual std::shared_ptr<const void> Meet(const Peer& /*peer*/) { return nullptr; }

  // Called on a loop thread. `request` is one whole message and is valid, and wiped, only until the
  // call returns: who defers copies what it needs. `answer` is empty; write into it or swap with
  // it. Requests of one connection are handled one after the other: the next one waits for a
  // deferred answer, so answers keep the order of requests.
  virtual Handled Handle(ByteView request, const Caller& caller, const ReplyTo& later,
                         WipingBytes& answer) = 0;

  // The same for a request that came in another encoding and could not be read, for `error`'s
  // reason: there is no message to handle, and still an answer to give and something to record.
  // `begun` is TTLV of what was read before.
  virtual Handled HandleUnreadable(const Error& /*error*/, ByteView /*begun*/,
                                   const Caller& /*caller*/, WipingBytes& /*answer*/) {
    return Handled::kRefused;
  }

  // Called on a loop thread after the requests of a tick, when there was at least one kAnswered.
  // After an error the answers of this tick are withheld and their connections closed: a client
  // must not hear of what was not recorded.
  virtual Result<void> Flush() { return {}; }
};

}  // namespace dare::server

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "engine/client_abilities.h"
#include "kmip/attributes.h"
#include "kmip/managed_object.h"
#include "kmip/protocol_version.h"

namespace dare::engine {

// What the engine knows of a connection to which it may send requests. Thread-safe.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  // Sends a whole message behind what was answered; dropped when the connection is gone.
  virtual void Push(WipingBytes message) = 0;
};

// A change that was committed, for the clients of the object's owner.
struct ObjectChange {
  std::string owner, id;
  kmip::ProtocolVersion version;                  // of the request that made it
  kmip::AttributeSet changed;                     // new values
  std::vector<kmip::AttributeReference> removed;  // attributes that are gone
  WipingBytes object;                             // of a new one, whole; empty: not to be put
  std::string replaced;                           // whose place the new one takes
};

struct PushOptions {
  // Principals who get Notify, without Set Endpoint Role, on each connection that asks something:
  // an agreement outside of the protocol (kmip-1.4 5.1).
  std::set<std::string> clients;
  // Principals who get Put for their new objects. Keys leave the server then without being asked
  // for, unless they are sensitive or not extractable.
  std::set<std::string> put;
};

// The outbox tells clients of changes to their objects: Notify and Put (kmip-2.1 6.2.2, 6.2.3), one
// at a time on each connection, the next when the client has answered. What a client does not take
// is dropped, and it is told nothing more on that connection: whoever misses a message must look.
// Nothing is kept over a restart.
//
// A client that took the server's role is asked what it can do (client_abilities.h), and from its
// answer on told only what it takes, in the best version. Changes do not wait for that.
// Thread-safe.
class Outbox {
 public:
  Outbox(const Clock& clock, PushOptions options) : clock_(clock), options_(std::move(options)) {}

  // `version`: in which the client is asked what it can do, once Begin says so; without one it is
  // asked nothing, and told in the version of the request that made the change. kRejected (Server
  // Limit Exceeded).
  Result<void> Open(const std::shared_ptr<Endpoint>& endpoint, const std::string& principal,
                    std::optional<kmip::ProtocolVersion> version) EXCLUDES(mutex_);
  // What came on the connection was answered: it may be asked.
  void Begin(const Endpoint* endpoint) EXCLUDES(mutex_);
  // True for principals with an agreement.
  bool Agreed(const std::string& principal) const { return options_.clients.contains(principal); }
  // False: nobody would hear of a change to an object of this owner.
  bool Wants(const std::string& owner) const EXCLUDES(mutex_);
  bool WantsPut(const std::string& owner) const { return options_.put.contains(owner); }
  void Publish(std::vector<ObjectChange> changes) EXCLUDES(mutex_);
  // A Response Message that came on the connection; false when none was awaited there, or it is
  // none.
  bool TakeResponse(const Endpoint* endpoint, ByteView message) EXCLUDES(mutex_);

 private:
  struct Channel {
    std::weak_ptr<Endpoint> endpoint;
    std::string principal;
    ClientAbilities abilities;
    bool begun = false;   // it may be sent something
    bool asking = false;  // an answer about its abilities is awaited, for as long as it likes
    std::deque<std::shared_ptr<const ObjectChange>> waiting;
    bool outstanding = false;  // it was told of a change and did not answer yet
    std::chrono::steady_clock::time_point answer_by;
  };
  static constexpr std::size_t kMostChannels = 1024;
  static constexpr std::size_t kMostWaiting = 64;
  static constexpr std::chrono::seconds kPatience{30};

  Channel* Find(const Endpoint* endpoint) REQUIRES(mutex_);
  void DropDead() REQUIRES(mutex_);
  void Ask(Channel& channel) REQUIRES(mutex_);
  void Send(Channel& channel) REQUIRES(mutex_);

  const Clock& clock_;
  const PushOptions options_;
  mutable Mutex mutex_;
  std::list<Channel> channels_ GUARDED_BY(mutex_);
  std::atomic<bool> any_ = false;
  std::atomic<bool> any_to_begin_ = false;
};

// The difference between two states of an object's attributes.
void NoteDifference(const kmip::AttributeSet& before, const kmip::AttributeSet& after,
                    ObjectChange& change);

}  // namespace dare::engine

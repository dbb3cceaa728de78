#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "server/handler.h"

namespace dare::server {

// A socket that was accepted by one loop for another.
struct AcceptedSocket {
  FileDescriptor fd;
  std::string address;
  std::uint16_t port = 0;
};

// An answer from another thread; without bytes the connection is to be closed.
struct LateAnswer {
  std::uint64_t connection = 0;
  std::optional<WipingBytes> bytes;
  Finish finish;  // may be empty
};

struct Mail {
  std::vector<AcceptedSocket> sockets;
  std::vector<LateAnswer> answers;
  std::vector<LateAnswer> pushes;  // messages that are no answers
  bool stop = false;
};

// A Mailbox is how other threads reach a loop: they post, an eventfd wakes the loop, the loop takes
// everything at once. Shared by the loop and by the replies that may still come.
// Thread-safe. After Close() whatever is posted is dropped.
class Mailbox {
 public:
  static Result<std::shared_ptr<Mailbox>> Make();

  void Post(AcceptedSocket socket) EXCLUDES(mutex_);
  void Post(LateAnswer answer) EXCLUDES(mutex_);
  void PostPush(LateAnswer message) EXCLUDES(mutex_);
  void PostStop() EXCLUDES(mutex_);
  // Everything posted since the last call; the eventfd is quiet afterwards.
  Mail Take() EXCLUDES(mutex_);
  void Close() EXCLUDES(mutex_);
  int event_fd() const { return event_.get(); }

 private:
  explicit Mailbox(FileDescriptor event) : event_(std::move(event)) {}
  void WakeOnce() REQUIRES(mutex_);

  const FileDescriptor event_;
  Mutex mutex_;
  Mail mail_ GUARDED_BY(mutex_);
  bool woken_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace dare::server

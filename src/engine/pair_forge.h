#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "engine/draft.h"
#include "engine/group_commit.h"

namespace dare::engine {

// The PairForge drafts requests for key pairs on a thread of its own: an RSA key of 4096 bits takes
// a second, in which neither the thread that received the request nor the one that writes can wait.
// Those that ask for pairs wait for one another. Thread-safe. Borrows its parts.
class PairForge {
 public:
  PairForge(Drafter& drafter, GroupCommit& group_commit);
  ~PairForge();  // those that wait go to the writer as they are

  // True for a message, which was validated, that asks for a key pair and for nothing else.
  static bool Concerns(ByteView request);
  void Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
              std::unique_ptr<Completion> completion) EXCLUDES(mutex_);

 private:
  struct Waiting {
    WipingBytes request;
    std::shared_ptr<const Caller> caller;
    std::unique_ptr<Completion> completion;
  };

  void Run();
  // All there are; empty: it is time to end.
  std::vector<Waiting> Take() EXCLUDES(mutex_);
  bool Stopping() EXCLUDES(mutex_);

  Drafter& drafter_;
  GroupCommit& group_commit_;
  Mutex mutex_;
  CondVar wake_;
  std::vector<Waiting> waiting_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace dare::engine

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "engine/draft.h"
#include "engine/group_commit.h"

namespace dare::engine {

// The KeyForge does what takes its time on a thread of its own, before the writer takes the
// request: it generates key pairs and stretches passwords (PBKDF2). An RSA key of 4096 bits takes a
// second, in which neither the thread that received the request nor the one that writes can wait.
// Those that ask for such keys wait for one another. Thread-safe. Borrows its parts.
class KeyForge {
 public:
  KeyForge(Drafter& drafter, GroupCommit& group_commit);
  ~KeyForge();  // those that wait go to the writer as they are

  // True for a message, which was validated, that asks for such a key.
  static bool Concerns(ByteView request);
  // `admission` where the message has credentials, which were judged.
  void Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
              std::unique_ptr<Completion> completion,
              std::optional<Admission> admission = std::nullopt) EXCLUDES(mutex_);

 private:
  struct Waiting {
    WipingBytes request;
    std::shared_ptr<const Caller> caller;
    std::unique_ptr<Completion> completion;
    std::optional<Admission> admission;
  };

  void Run();
  // Null where nothing is to be prepared.
  std::unique_ptr<Draft> Prepare(const Waiting& one) EXCLUDES(mutex_);
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

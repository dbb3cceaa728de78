#pragma once

#include <memory>
#include <optional>

#include "base/secret_bytes.h"
#include "engine/draft.h"
#include "engine/group_commit.h"
#include "engine/work_line.h"

namespace dare::engine {

// The KeyForge does what takes its time on a thread of its own, before the writer takes the
// request: it generates key pairs and stretches passwords (PBKDF2). An RSA key of 4096 bits takes a
// second, in which neither the thread that received the request nor the one that writes can wait.
// Those that ask for such keys wait for one another; at the end they go to the writer as they are.
// Thread-safe. Borrows its parts.
class KeyForge {
 public:
  KeyForge(Drafter& drafter, GroupCommit& group_commit);

  // True for a message, which was validated, that asks for such a key.
  static bool Concerns(ByteView request);
  // `admission` where the message has credentials, which were judged.
  void Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
              std::unique_ptr<Completion> completion,
              std::optional<Admission> admission = std::nullopt);

 private:
  struct Waiting {
    WipingBytes request;
    std::shared_ptr<const Caller> caller;
    std::unique_ptr<Completion> completion;
    std::optional<Admission> admission;
  };

  // Null where nothing is to be prepared.
  std::unique_ptr<Draft> Prepare(const Waiting& one);

  Drafter& drafter_;
  GroupCommit& group_commit_;
  WorkLine<Waiting> line_;
};

}  // namespace dare::engine

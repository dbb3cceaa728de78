#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/secret_bytes.h"
#include "engine/authenticator.h"
#include "engine/group_commit.h"
#include "engine/work_line.h"

namespace dare::engine {

// The gate judges the credentials of messages that show any, before they reach the engine. What
// needs a slow hash waits for a thread of its own, so that it holds up nobody without credentials;
// few may wait, in all and from one address, and the others are turned away. Thread-safe.
class Gate {
 public:
  // What becomes of a message once its credentials were judged; called on any thread.
  using Next = std::function<void(WipingBytes request, std::shared_ptr<const Caller> connection,
                                  std::unique_ptr<Completion> completion, Admission admission)>;

  Gate(Authenticator& authenticator, Next next);

  // True when the message has credentials of a version that the gate reads.
  static bool Concerns(ByteView request);
  void Submit(WipingBytes request, std::shared_ptr<const Caller> connection,
              std::unique_ptr<Completion> completion);

 private:
  struct Waiting {
    WipingBytes request;
    std::shared_ptr<const Caller> connection;
    std::unique_ptr<Completion> completion;
  };
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kMostOfOne = 8;  // from one address

  bool Enqueue(Waiting& one);
  void Pass(Waiting one);

  Authenticator& authenticator_;
  const Next next_;
  WorkLine<Waiting> line_;
};

}  // namespace dare::engine

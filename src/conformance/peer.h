#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "conformance/families.h"
#include "conformance/tree.h"

namespace dare::conformance {

// A Peer is one client's connection to the server under judgement, carrying trees. One thread.
// Errors are kUnavailable (no connection, or it ended), kTimeout, and kMalformed for an answer that
// is none.
class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;

  // Sends a request and gives the server's answer. Requests that the server sends meanwhile are
  // kept for NextRequest.
  virtual Result<Node> Ask(const Node& request) = 0;
  // Waits for a request of the server. kUnsupported where the transport has none.
  virtual Result<Node> NextRequest() = 0;
  // Answers it.
  virtual Result<void> Answer(const Node& response) = 0;
};

// Opens a connection as the n-th client of a case (0 is the case's own, 1 is B, 2 is C).
using Connect = std::function<Result<std::unique_ptr<Peer>>(std::size_t client)>;

}  // namespace dare::conformance

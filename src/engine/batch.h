#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/secret_bytes.h"
#include "engine/asynchronous_book.h"
#include "engine/authenticator.h"
#include "engine/operation.h"
#include "policy/principal.h"
#include "ttlv/limits.h"

namespace dare::engine {

// What became of one request message.
struct Answered {
  std::vector<audit::Entry>
      entries;  // one for each batch item; to be appended before the answer leaves
  std::vector<std::string> changed;  // ids to forget in the cache after the commit
  std::vector<ObjectChange> told;    // to be published after the commit
  bool needs_writer = false;         // nothing was done or answered: start again with a transaction
  bool needs_admission = false;      // the same, with what became of the message's credentials
  // Another node was faster, again and again: the transaction must be rolled back and begin again.
  bool begin_again = false;
  bool unrepeatable = false;       // BatchMemory's
  TicketUse used;                  // what a ticket lost by it
  std::string server_correlation;  // Server Correlation Value of the answer
  // Asynchronous requests to be done before the message starts again.
  std::vector<Bytes> process;
  AsynchronousOwner process_owner;
};

// Answers one KMIP request message into `answer` (kmip-2.1 8, 9; kmip-1.4 6, 7): version, header,
// batch options, every item by its operation. Always gives a well-formed response. Without a
// transaction nothing can be changed. A message with credentials needs an `admission`, judged once.
//  Thread-safe as far as `parts` is; the transaction belongs to
// the calling thread.
Answered AnswerMessage(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                       ByteView request, store::Transaction* transaction, WipingBytes& answer,
                       Admission* admission = nullptr);

// The answer to a message that makes something new, as it will be if `paper`, which only writes
// down what changes, is carried out by the writer thread (draft.h). Nothing for any other message,
// and for one that would be refused: nothing was done then.
std::optional<Answered> DraftMessage(EngineParts& parts, const ttlv::Limits& limits,
                                     const Caller& caller, ByteView request,
                                     store::Transaction& paper, WipingBytes& answer);

}  // namespace dare::engine

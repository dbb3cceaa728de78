#pragma once

#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/secret_bytes.h"
#include "engine/asynchronous_book.h"
#include "engine/operation.h"
#include "ttlv/limits.h"

namespace dare::kmip {
class RequestMessage;
}

namespace dare::engine {

class ResponseBuilder;

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

// Walks over the items of `message`, which was checked: each is answered by its operation into
// `response`, told in `answered`, and its changes stay or go with it, as the batch options of
// kmip-2.1 9 and 11.5 say. An Error only when the transaction itself is broken.
Result<void> AnswerItems(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                         TicketUse& use, kmip::RequestMessage& message, const Changes& changes,
                         ResponseBuilder& response, Answered& answered);

}  // namespace dare::engine

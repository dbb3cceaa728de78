#pragma once

#include <optional>

#include "base/secret_bytes.h"
#include "engine/authenticator.h"
#include "engine/batch.h"
#include "engine/operation.h"
#include "ttlv/limits.h"

namespace dare::engine {

class PreparedWork;

// Answers one KMIP request message into `answer` (kmip-2.1 8, 9; kmip-1.4 6, 7): version, header,
// batch options, every item by its operation. Always gives a well-formed response. Without a
// transaction nothing can be changed. A message with credentials needs an `admission`, judged once.
// `prepared`: what was done for this message already, if anything.
// Thread-safe as far as `parts` is; the transaction belongs to the calling thread.
Answered AnswerMessage(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                       ByteView request, store::Transaction* transaction, WipingBytes& answer,
                       Admission* admission = nullptr, const PreparedWork* prepared = nullptr);

// The answer to a message that makes something new, as it will be if `paper`, which only writes
// down what changes, is carried out by the writer thread (draft.h). Nothing for any other message,
// and for one that would be refused: nothing was done then. What takes its time is left in
// `preparing`, too; without, it is not done.
std::optional<Answered> DraftMessage(EngineParts& parts, const ttlv::Limits& limits,
                                     const Caller& caller, ByteView request,
                                     store::Transaction& paper, WipingBytes& answer,
                                     PreparedWork* preparing = nullptr);

// Whether an item of the message asks for something that takes its time.
bool TakesTime(ByteView request);
// Does that, as far as it can be known before the message is answered, and leaves it in `work`:
// item by item, reading only. `caller` as the message's credentials say.
void RehearseMessage(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                     ByteView request, PreparedWork& work);

}  // namespace dare::engine

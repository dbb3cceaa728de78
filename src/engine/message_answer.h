#pragma once

#include <optional>

#include "base/secret_bytes.h"
#include "engine/authenticator.h"
#include "engine/batch.h"
#include "engine/operation.h"
#include "ttlv/limits.h"

namespace dare::engine {

class PreparedPair;

// Answers one KMIP request message into `answer` (kmip-2.1 8, 9; kmip-1.4 6, 7): version, header,
// batch options, every item by its operation. Always gives a well-formed response. Without a
// transaction nothing can be changed. A message with credentials needs an `admission`, judged once.
// `pair`: what was generated for this message already, if anything.
// Thread-safe as far as `parts` is; the transaction belongs to the calling thread.
Answered AnswerMessage(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                       ByteView request, store::Transaction* transaction, WipingBytes& answer,
                       Admission* admission = nullptr, const PreparedPair* pair = nullptr);

// The answer to a message that makes something new, as it will be if `paper`, which only writes
// down what changes, is carried out by the writer thread (draft.h). Nothing for any other message,
// and for one that would be refused: nothing was done then. A key pair that it asks for is
// generated into `pair`; without, none is.
std::optional<Answered> DraftMessage(EngineParts& parts, const ttlv::Limits& limits,
                                     const Caller& caller, ByteView request,
                                     store::Transaction& paper, WipingBytes& answer,
                                     PreparedPair* pair = nullptr);

}  // namespace dare::engine

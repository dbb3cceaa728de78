#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/batch.h"
#include "store/object_store.h"

namespace dare::engine {

// A Draft is the whole answer to a request that makes something new (Create, Create Key Pair),
// worked out before the writer thread takes the request: the key drawn and sealed in the HSM, the
// attributes encoded, the rows complete with their checks. It says what was taken for granted; the
// writer looks whether that is true, writes the rows, and is done. Where it is not true (the name
// is taken, the request was answered before, the principal has rules of its own, the master key was
// changed, another policy is in force), the draft is thrown away and the request answered as if
// there had been none: a draft decides nothing, it only saves the writer's time.
struct Draft {
  Answered answered;
  WipingBytes answer;
  std::vector<store::ObjectRecord> records;  // to be inserted
  std::vector<store::MetaRow> facts;         // to be put
  std::vector<std::string> absent;           // facts that it took to be missing
  bool rules_existed = false;                // whether it looked for constraints and defaults
  std::shared_ptr<const policy::Policy> judged_under;  // null: no policy was in force
  // What took its time: of use even where the rest is not.
  std::shared_ptr<const PreparedWork> prepared;
  bool is_whole = true;  // false: only that is there
};

// Writes drafts: on whatever thread brings a request, several at once. A token that takes its time
// would hold up the other connections of that thread, so after a slow draft there is none for a
// while, and the requests wait for the writer alone. Thread-safe. Borrows its parts.
class Drafter {
 public:
  Drafter(EngineParts& parts, const ttlv::Limits& limits) : parts_(parts), limits_(limits) {}

  // Null for a request of which none can be made: it reads or changes what is there, shows
  // credentials, is a batch, or would be refused.
  std::unique_ptr<Draft> Write(const Caller& caller, ByteView request);
  // The same with all that takes its time, however long: of any message, though often nothing but
  // that is there afterwards. `caller` as the message's credentials say.
  std::unique_ptr<Draft> Prepare(const Caller& caller, ByteView request);

  static constexpr std::chrono::milliseconds kSlow{10};
  static constexpr std::chrono::seconds kPause{1};

 private:
  using Moment = std::chrono::steady_clock::time_point;

  // False where it could not be written whole.
  bool Fill(Draft& draft, const Caller& caller, ByteView request, PreparedWork* preparing);

  EngineParts& parts_;
  const ttlv::Limits& limits_;
  std::atomic<Moment> paused_until_{Moment{}};
};

// On the writer thread: puts into `transaction` what `draft` says. False, and nothing was changed,
// where something that it took for granted is not so, or the store refuses.
bool CarryOut(const Draft& draft, const EngineParts& parts, store::Transaction& transaction);

}  // namespace dare::engine

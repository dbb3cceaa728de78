#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "engine/caller.h"
#include "engine/operation.h"
#include "kmip/message.h"

namespace dare::engine {

// The RequestMemory remembers what changes were answered for which the client gave a request
// identity (kmip/request_identity.h; docs/formats/request-identity.md). It is written in the
// transaction of the change, so that every node over one database knows of it as soon as the change
// is there, and nobody when it is not: whoever lost an answer asks again with the same bytes, gets
// the same answer, and nothing is done twice.
//
// Only successes are remembered: a failure changed nothing, and asking again may succeed. An
// identity belongs to its principal (and, where it shows a ticket with rights, to those rights);
// another one's is another identity. Rows are under the vault's keyed check and hold no key
// material; what a request said is kept as a keyed digest. Remembered for 24 hours at least.
// Thread-safe; borrows its parts.
class RequestMemory {
 public:
  RequestMemory(const Vault& vault, const Clock& clock) : vault_(vault), clock_(clock) {}

  // True for the operations that change something, whose answers hold no secrets. An identity on
  // any other one is of no use and is ignored: asking twice does no harm there.
  static bool Remembers(kmip::Operation operation);

  // One request as it is known again: its identity, and what it asks.
  struct Request {
    std::string name;  // of the identity, in the store
    Bytes digest;      // of what is asked, with everything that decides what it means
  };
  // The answer to a request, and what later items of its batch build on.
  struct Answer {
    std::int64_t time = 0;
    std::string object_id;  // that the audit log shall name
    Bytes payload;          // the members of the Response Payload
    std::string placeholder;
    std::vector<std::string> answered_ids;  // by this item
    std::vector<std::string> made;          // by this item

    // Takes from `batch` what it came to know after it had so many ids, and gives it back to a
    // batch in which the item is repeated.
    void TakeFrom(const BatchMemory& batch, std::size_t answered_before, std::size_t made_before);
    void GiveTo(BatchMemory& batch, kmip::Operation operation) const;
  };

  // `item` has an identity.
  Result<Request> Recognise(const Caller& caller, const kmip::RequestHeader& header,
                            const kmip::RequestItem& item, const BatchMemory& batch) const;
  // Nothing when it was not answered yet. kRejected Invalid Field when the identity was given to
  // another request; kDamaged when the row was altered.
  Result<std::optional<Answer>> Find(const store::ObjectReader& reader,
                                     const Request& request) const;
  Result<void> Keep(store::Transaction& transaction, const Request& request,
                    const Answer& answer) const;

 private:
  Result<Bytes> CheckOf(const std::string& key, ByteView content) const;

  const Vault& vault_;
  const Clock& clock_;
};

// Forgets what nobody can ask for again: walks over the days before, a portion at a time. On every
// node; what another one has forgotten is passed over. One thread. Borrows the clock.
class OldRequests {
 public:
  explicit OldRequests(const Clock& clock) : clock_(clock) {}

  // True when there is more to be done soon.
  Result<bool> ForgetSome(store::ObjectStore& store);

 private:
  // What stands in the slice of a day that is up next, or in one after it: all keys of it.
  Result<std::vector<std::string>> NextKeys(const store::ObjectStore& store, std::int64_t last_day);

  const Clock& clock_;
  std::int64_t day_ = 0;   // what is before is forgotten; 0: not begun
  std::size_t slice_ = 0;  // of that day
};

}  // namespace dare::engine

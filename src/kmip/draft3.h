#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace dare::kmip {

// One request and its answer in KMIP 3.0 (a draft), spoken by a server of 2.1: the request is
// rewritten into one of 2.1 and the answer back, so that nothing behind this class knows the draft.
// What is different in 3.0, as far as it is known:
//   - items of the types Identifier and Reference where 2.1 has a Text String,
//   - Name is a Text String, not a structure,
//   - each kind of link is an attribute of its own (Next Link, …),
//   - neither Batch Count nor, in a batch, Unique Batch Item IDs are needed,
//   - every object has the attribute Object Class; all objects here are of the class User.
// Operations that are new in 3.0 pass through and are refused as unknown.
// Not thread-safe; one object for each exchange.
class Draft3Exchange {
 public:
  // True when the message says that it is of version 3.0.
  static bool Speaks(ByteView request);

  // Reads bytes that nobody validated; the result is to be validated as any request.
  // kMalformed, kTooLarge.
  Result<WipingBytes> TakeRequest(ByteView request);
  // `answer` is our own; Batch Items are matched with those of the request by their order.
  WipingBytes GiveAnswer(ByteView answer) const;

 private:
  friend class Draft3Request;
  friend class Draft3Answer;

  struct Item {
    bool made_batch_id = false;     // the client sent none, so it gets none
    bool object_class = false;      // is to be in the answer
    Bytes pkcs11_correlation;       // of a PKCS#11 call: every answer to one repeats it
    std::set<std::uint32_t> links;  // Link Types asked for by name; empty: all
  };
  std::map<std::size_t, Item> items_;  // only those with something to remember
};

}  // namespace dare::kmip

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/approval.h"
#include "store/object_store.h"

namespace dare::engine {

// An act that somebody is about to do and that stands under a rule (docs/dual-control.md).
struct GuardedAct {
  policy::Guard guard;
  policy::Act act = policy::Act::kDestroy;
  std::string requester;
  std::string subject;  // what it is done to: a Unique Identifier
  std::string how;      // what else an approval is bound to, as a line for people
  std::string text;     // the same, where it is long: a policy
  std::string note;     // for people alone
};

// A request as it waits for its approval.
struct ApprovalRequest {
  std::string id;
  std::string rule;  // its label
  policy::Act act = policy::Act::kDestroy;
  std::string subject, how, text, note;
  Bytes binding;  // digest of all that an approval is good for
  std::int64_t asked = 0;
  policy::Petition petition;
  std::string bypass_reason;
};

// An ApprovalDesk keeps requests and what was said about them, in the store. The calls are made
// inside the transaction of the act, by one thread at a time.
class ApprovalDesk {
 public:
  struct Ruling {
    bool granted = false;
    std::string message;  // granted: by whom; else what to tell who asks
    // To be put on the list once everything else that was tried is undone.
    std::optional<ApprovalRequest> to_register;
  };
  virtual ~ApprovalDesk() = default;
  // Whether the act may happen now. What is granted is used up with it. kDamaged where the list is
  // not what the nodes wrote.
  virtual Result<Ruling> Use(store::Transaction& transaction, const GuardedAct& act) = 0;
  virtual Result<void> Register(store::Transaction& transaction,
                                const ApprovalRequest& request) = 0;
  // What became of the transactions since the last call.
  virtual void Settle(bool committed) = 0;
};

}  // namespace dare::engine

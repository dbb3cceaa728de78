#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/approval_desk.h"
#include "engine/guarded_facts.h"
#include "engine/vault.h"
#include "registry/row_codec.h"
#include "store/object_store.h"

namespace dare::registry {

// Approvals are the requests that wait for the approval of others, and what was said about them
// (docs/dual-control.md): one list for all nodes on the store, each row under the record key's
// check and all under a sum. Nothing of it is kept in memory: whoever needs an approval reads the
// whole list in the transaction of the deed, so no node acts on an old one, and a list that is not
// what the nodes wrote closes what needs approval. Thread-safe. `store` and `clock` outlive it.
class Approvals : public engine::ApprovalDesk {
 public:
  // What it asks of this node.
  struct Options {
    // The policy that holds; null: none.
    std::function<std::shared_ptr<const policy::Policy>()> in_force;
    // Whose voice counts no more, whatever the policy says.
    std::function<bool(const policy::Principal&)> is_locked_out;
  };
  Approvals(store::ObjectStore& store, std::shared_ptr<const engine::Vault> vault, Options options,
            const Clock& clock)
      : store_(store), vault_(std::move(vault)), options_(std::move(options)), clock_(clock) {}

  static constexpr std::size_t kMostRequests = 256;
  static constexpr std::size_t kMostOfOne = 16;  // requests of one requester
  static constexpr std::size_t kMostBypasses = 256;
  static constexpr std::size_t kMostReason = 500;

  Result<Ruling> Use(store::Transaction& transaction, const engine::GuardedAct& act) override;
  Result<void> Register(store::Transaction& transaction,
                        const engine::ApprovalRequest& request) override;
  void Settle(bool committed) override;

  // What administrators do. Returns where nobody need be asked, or others agreed, whose approval is
  // used up then; kDenied with what to tell who asks, where it waits for them from now on. For
  // whatever cannot be undone with a transaction: call it last before the deed. `how`: what else
  // the approval is bound to, one line.
  Result<void> Permit(policy::Act act, const std::string& requester, const std::string& how);

  // The same inside of the deed's own transaction, under a policy that was read there. After
  // kDenied and the end of that transaction, Refer puts the request on the list and says what to
  // answer.
  Result<void> PermitIn(store::Transaction& transaction, const engine::GuardedAct& act);
  Error Refer(const engine::GuardedAct& act);

  struct List {
    std::shared_ptr<const policy::Policy> policy;  // in force when it was read
    std::int64_t now = 0;
    std::vector<engine::ApprovalRequest> requests;  // that did not expire, the oldest first
    std::vector<Bypass> bypasses;

    policy::Guard GuardOf(const engine::ApprovalRequest& request) const;
    // Whether `who` may know of what stands or stood under this rule: whom it names, and the
    // administrators of its domain, for acts of the service all of them.
    bool Concerns(const policy::Principal& who, const std::string& rule, policy::Act act) const;
  };
  Result<List> Read();

  // kNotFound; kDenied where `who` has no voice in it; kAlreadyExists where it makes no difference.
  Result<engine::ApprovalRequest> Speak(const std::string& id, const policy::Principal& who,
                                        bool approves);
  // Lets it happen without the approval of others. kDenied unless the rule names `who` for that.
  Result<engine::ApprovalRequest> LetPass(const std::string& id, const policy::Principal& who,
                                          const std::string& reason);
  // Takes a bypass off the list. kDenied for those who made use of it, and whom it does not
  // concern.
  Result<Bypass> Acknowledge(const std::string& id, const policy::Principal& who);

 private:
  struct Book;
  Result<Book> ReadBook(const store::ObjectReader& reader) const;
  Result<Ruling> Judge(store::Transaction& transaction, const engine::GuardedAct& act, bool use,
                       std::uint64_t& group);
  Result<void> Put(store::Transaction& transaction, const engine::ApprovalRequest& request,
                   std::uint64_t& group);
  Result<void> Change(const std::function<Result<void>(store::Transaction& transaction,
                                                       std::uint64_t& group)>& change);
  Result<engine::ApprovalRequest> ChangeRequest(
      const std::string& id,
      const std::function<Result<void>(engine::GuardedTable&, const Book&, engine::ApprovalRequest&,
                                       const policy::Guard&)>& change);
  void Note(std::uint64_t group);

  store::ObjectStore& store_;
  const std::shared_ptr<const engine::Vault> vault_;
  const Options options_;
  const Clock& clock_;
  std::atomic<std::uint64_t> newest_ = 0;   // group of the table that is known to be committed
  std::atomic<std::uint64_t> pending_ = 0;  // of the engine's transaction, which may not be
};

}  // namespace dare::registry

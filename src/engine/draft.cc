#include "engine/draft.h"

#include <utility>

#include "engine/access_control.h"
#include "engine/message_answer.h"
#include "engine/prepared_work.h"
#include "engine/sessions.h"
#include "engine/vault.h"

namespace dare::engine {
namespace {

// Writes down what a request changes, and reads nothing but that facts are missing, which it takes
// for granted.
class Paper : public store::Transaction {
 public:
  explicit Paper(Draft& draft) : draft_(draft) {}

  Result<store::ObjectRecord> Get(const store::ObjectId&) const override { return Unread(); }
  Result<store::Page<store::ObjectId>> Find(const store::Query&) const override { return Unread(); }
  Result<store::Page<store::ObjectRecord>> FindRecords(const store::Query&) const override {
    return Unread();
  }
  Result<std::uint64_t> Count(const store::Query&) const override { return Unread(); }
  Result<Bytes> GetMeta(const std::string& key) const override {
    draft_.absent.push_back(key);
    return Error(Code::kNotFound, "taken to be missing");
  }
  Result<std::vector<std::string>> ListMeta(const std::string&) const override { return Unread(); }

  Result<void> Insert(const store::ObjectRecord& record) override {
    draft_.records.push_back(record);
    return {};
  }
  Result<void> Restore(const store::ObjectRecord&) override { return Unread(); }
  Result<void> Update(const store::ObjectRecord&, std::uint64_t) override { return Unread(); }
  Result<void> Remove(const store::ObjectId&) override { return Unread(); }
  Result<void> PutMeta(const std::string& key, ByteView value) override {
    draft_.facts.push_back({key, ToBytes(value)});
    return {};
  }
  Result<void> RemoveMeta(const std::string&) override { return Unread(); }

  Result<void> Savepoint() override {
    savepoints_.emplace_back(draft_.records.size(), draft_.facts.size());
    return {};
  }
  Result<void> RollbackTo() override {
    const auto [records, facts] = savepoints_.back();
    draft_.records.resize(records);
    draft_.facts.resize(facts);
    return Release();
  }
  Result<void> Release() override {
    savepoints_.pop_back();
    return {};
  }
  Result<void> Commit() override { return Unread(); }

 private:
  static Error Unread() { return Error(Code::kUnsupported, "a draft does not know what there is"); }

  Draft& draft_;
  std::vector<std::pair<std::size_t, std::size_t>> savepoints_;
};

bool Holds(const Draft& draft, const EngineParts& parts, const store::Transaction& transaction) {
  if (!draft.is_whole) return false;
  if (parts.sessions.rules_exist != draft.rules_existed) return false;
  // The draft keeps its policy alive, so that no later one has its address.
  if (parts.access.current() != draft.judged_under) return false;
  for (const store::ObjectRecord& record : draft.records) {
    // The group has brought the ring up to date: what is committed is sealed under the key that is
    // current for this transaction, so that no rotation ends with a record it has not seen.
    if (!record.material.empty() && !parts.vault.SealedByPresentKey(record.material)) return false;
  }
  for (const std::string& key : draft.absent) {
    const Result<Bytes> fact = transaction.GetMeta(key);
    if (fact || fact.error().code != Code::kNotFound) return false;
  }
  return true;
}

Result<void> PutAll(const Draft& draft, store::Transaction& transaction) {
  for (const store::ObjectRecord& record : draft.records) TRY(transaction.Insert(record));
  for (const store::MetaRow& fact : draft.facts) TRY(transaction.PutMeta(fact.key, fact.value));
  return {};
}

}  // namespace

std::unique_ptr<Draft> Drafter::Write(const Caller& caller, ByteView request) {
  const Moment begun = parts_.clock.Steady();
  if (begun < paused_until_.load(std::memory_order_relaxed)) return nullptr;
  auto draft = std::make_unique<Draft>();
  const bool whole = Fill(*draft, caller, request, nullptr);
  const Moment now = parts_.clock.Steady();
  if (now - begun > kSlow) paused_until_.store(now + kPause, std::memory_order_relaxed);
  if (!whole) return nullptr;
  return draft;
}

std::unique_ptr<Draft> Drafter::Prepare(const Caller& caller, ByteView request) {
  auto draft = std::make_unique<Draft>();
  const auto work = std::make_shared<PreparedWork>();
  draft->is_whole = Fill(*draft, caller, request, work.get());
  if (!draft->is_whole && work->empty()) {
    RehearseMessage(parts_, limits_, caller, request, *work);
  }
  draft->prepared = work;
  return draft;
}

bool Drafter::Fill(Draft& draft, const Caller& caller, ByteView request, PreparedWork* preparing) {
  draft.rules_existed = parts_.sessions.rules_exist;
  draft.judged_under = parts_.access.current();  // before anything is judged by it
  Paper paper(draft);
  std::optional<Answered> answered =
      DraftMessage(parts_, limits_, caller, request, paper, draft.answer, preparing);
  if (!answered || draft.records.empty()) return false;
  draft.answered = *std::move(answered);
  return true;
}

bool CarryOut(const Draft& draft, const EngineParts& parts, store::Transaction& transaction) {
  if (!Holds(draft, parts, transaction)) return false;
  // One row alone is written or refused as a whole.
  if (draft.records.size() + draft.facts.size() == 1) return PutAll(draft, transaction).has_value();
  if (!transaction.Savepoint()) return false;
  if (PutAll(draft, transaction)) return transaction.Release().has_value();
  (void)transaction.RollbackTo();  // where this fails, so does the commit
  return false;
}

}  // namespace dare::engine

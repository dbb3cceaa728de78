#include "engine/resealer.h"

#include <algorithm>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "audit/audit_log.h"
#include "base/log.h"
#include "custody/custody_record.h"
#include "custody/key_life.h"
#include "engine/group_commit.h"
#include "engine/resealing.h"
#include "engine/vault.h"
#include "hsm/sealed_record.h"

namespace dare::engine {
namespace {

constexpr std::size_t kMostRows = 64;                // that one group takes along
constexpr std::chrono::milliseconds kFairShare{20};  // of the writer thread, at a time
constexpr std::size_t kProofPage = 1024;             // rows that are only looked at
constexpr std::size_t kPagesUnsaved = 50;
constexpr std::chrono::seconds kAfterTrouble{30};

using std::chrono::milliseconds;

}  // namespace

// What one group of changes takes along.
struct Resealer::Batch {
  std::vector<store::ObjectId> rows;
  std::size_t stuck = 0;  // rows under an old key that do not open
};

class Resealer::BatchChore : public Chore {
 public:
  BatchChore(Resealer& owner, Batch& batch, custody::RotationState& state)
      : owner_(owner), batch_(batch), state_(state), stuck_before_(batch.stuck) {}

  Result<void> Do(store::Transaction& transaction) override {
    const auto begun = std::chrono::steady_clock::now();
    hsm::Sealer& sealer = owner_.custody_.ring();
    next_ = state_;  // a group may begin again
    changed_.clear();
    batch_.stuck = stuck_before_;
    TRY(owner_.lease_.Hold(transaction));
    TRY(ResealRecordKey(transaction, sealer));
    for (const store::ObjectId& id : batch_.rows) {
      const auto resealed = ResealRecord(transaction, owner_.vault_, sealer, id);
      if (resealed && *resealed) {
        changed_.push_back(id);
        ++next_.resealed;
      } else if (!resealed) {
        const Code code = resealed.error().code;
        if (code != Code::kDamaged && code != Code::kNotFound) return resealed.error();
        log::Failure("record " + id + " is not sealed anew: " + resealed.error().message);
        ++batch_.stuck;
      }
    }
    took_ = std::chrono::steady_clock::now() - begun;
    return custody::PutRotation(owner_.custody_, transaction, next_);
  }
  void PutInto(std::chrono::steady_clock::duration* took) { told_ = took; }
  std::vector<std::string> Changed() const override { return changed_; }
  void Done(const Result<void>& result) override {
    if (result) state_ = next_;
    *told_ = took_;
    done_.set_value(result);
  }
  std::future<Result<void>> done() { return done_.get_future(); }

 private:
  Resealer& owner_;
  Batch& batch_;
  custody::RotationState& state_;
  const std::size_t stuck_before_;
  std::chrono::steady_clock::duration took_{};
  std::chrono::steady_clock::duration* told_ = nullptr;
  custody::RotationState next_;
  std::vector<std::string> changed_;
  std::promise<Result<void>> done_;
};

Resealer::Resealer(custody::Custody& custody, const Vault& vault, GroupCommit& writer,
                   audit::AuditLog& audit, const ResealerOptions& options)
    : custody_(custody),
      vault_(vault),
      writer_(writer),
      audit_(audit),
      options_(options),
      lease_(custody),
      thread_([this] { Run(); }) {}

Resealer::~Resealer() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
}

void Resealer::LookNow() {
  {
    const MutexLock lock(mutex_);
    look_ = true;
  }
  wake_.NotifyAll();
}

bool Resealer::Stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

bool Resealer::Pause(milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  const MutexLock lock(mutex_);
  while (!stopping_ && !look_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0 || !wake_.WaitFor(mutex_, left)) break;
  }
  look_ = false;
  return !stopping_;
}

void Resealer::Run() {
  std::string trouble;
  do {
    const Result<void> followed = Follow();
    const bool somebody_elses = !followed && followed.error().code == Code::kConflict;
    if (followed || somebody_elses) {
      trouble.clear();
      continue;
    }
    if (followed.error().message != trouble) {  // once, not at every round
      trouble = followed.error().message;
      log::Failure("the store's keys cannot be followed: " + trouble);
    }
    if (!Pause(std::min<milliseconds>(kAfterTrouble, options_.round * 15))) return;
  } while (Pause(options_.round));
}

Result<void> Resealer::Follow() {
  TRY(custody_.Refresh());
  const custody::CustodyRecord record = custody_.record();
  std::optional<custody::RotationState> state =
      TRY(custody::ReadRotation(custody_, custody_.store()));
  const bool known = state && state->to == record.current().id;
  const bool retiring = std::ranges::find(record.keys, custody::KeyState::kRetiring,
                                          &custody::CustodyKey::state) != record.keys.end();
  if (!retiring) {
    // Killed between the last step and the note about it.
    if (known && state->finished == 0) return Finish(*state);
    return {};
  }
  if (!known) {
    state = custody::RotationState{.to = record.current().id, .started = custody_.clock().Now()};
    state->extent = TRY(custody_.store().Extent());
  }
  state->node = custody_.options().node;
  return Rotate(*std::move(state));
}

Result<void> Resealer::Rotate(custody::RotationState state) {
  // Takes the lease, or leaves the work to who has it.
  Batch nothing;
  TRY(Put(nothing, state));
  log::Info("sealing the store anew under key " + ToHex(state.to) + ", from place " +
            std::to_string(state.cursor) + " of " + std::to_string(state.extent));
  while (!Stopping()) {
    const std::size_t stuck = TRY(Walk(state));
    if (Stopping()) return {};
    const auto grace =
        options_.grace - std::chrono::seconds(custody_.clock().Now() - state.started);
    if (grace.count() > 0 && !Pause(grace)) return {};
    if (TRY(Prove())) return Finish(state);
    if (Stopping()) return {};
    ++state.pass;
    state.cursor = 0;
    state.extent = TRY(custody_.store().Extent());
    TRY(Put(nothing, state));
    if (stuck != 0) {
      return Error(Code::kDamaged, std::to_string(stuck) +
                                       " records do not open, so that their key is not retired: "
                                       "dare-kms verify names them");
    }
  }
  return {};
}

// Gives how many records under an old key do not open.
Result<std::size_t> Resealer::Walk(custody::RotationState& state) {
  std::size_t stuck = 0;
  std::size_t unsaved = 0;
  for (std::uint64_t after = state.cursor; !Stopping();) {
    const auto page = TRY(custody_.store().Scan(after, page_));
    Batch batch = Choose(page.items);
    if (!page.items.empty()) state.cursor = page.items.back().place;
    if (!batch.rows.empty() || ++unsaved == kPagesUnsaved) {
      TRY(Put(batch, state));
      unsaved = 0;
    }
    stuck += batch.stuck;
    if (page.next == 0) return stuck;
    after = page.next;
    if (options_.per_second != 0 && !batch.rows.empty()) {
      Pause(milliseconds(batch.rows.size() * 1000 / options_.per_second));
    }
  }
  return stuck;
}

Resealer::Batch Resealer::Choose(const std::vector<store::PlacedRecord>& items) {
  const Bytes current = custody_.ring().current_id();
  Batch batch;
  for (const store::PlacedRecord& item : items) {
    if (item.damage) {
      ++batch.stuck;
      continue;
    }
    if (item.record.material.empty()) continue;
    const auto id = hsm::KeyIdOf(item.record.material);
    if (!id || *id != current) batch.rows.push_back(item.record.id);
  }
  return batch;
}

Result<void> Resealer::Put(Batch& batch, custody::RotationState& state) {
  auto chore = std::make_unique<BatchChore>(*this, batch, state);
  std::chrono::steady_clock::duration took{};
  chore->PutInto(&took);
  auto done = chore->done();
  writer_.SubmitChore(std::move(chore));
  const Result<void> result = done.get();
  if (batch.rows.empty()) return result;
  // Slow tokens get small batches: the requests behind this one waited for it.
  const auto each = took / batch.rows.size();
  page_ = each.count() <= 0
              ? kMostRows
              : std::clamp<std::size_t>(static_cast<std::size_t>(kFairShare / each), 1, kMostRows);
  return result;
}

// True when no record in a picture of the whole store, taken now, is sealed under another key.
Result<bool> Resealer::Prove() {
  const Bytes current = custody_.record().current().id;
  const auto picture = TRY(custody_.store().Snapshot());
  for (std::uint64_t after = 0; !Stopping();) {
    const auto page = TRY(picture->Scan(after, kProofPage));
    for (const store::PlacedRecord& item : page.items) {
      if (item.damage) return false;
      if (item.record.material.empty()) continue;
      const auto id = hsm::KeyIdOf(item.record.material);
      if (!id || *id != current) return false;
    }
    if (page.next == 0) return true;
    after = page.next;
  }
  return false;
}

Result<void> Resealer::Finish(custody::RotationState& state) {
  TRY(custody::EndRotation(custody_));
  state.finished = custody_.clock().Now();
  Batch nothing;
  TRY(Put(nothing, state));
  audit::Entry entry;
  entry.time = state.finished;
  entry.operation = "master key rotated";
  entry.object_id = ToHex(state.to);
  entry.outcome = audit::Outcome::kAllowed;
  entry.rule = "server";
  entry.detail = std::to_string(state.resealed) + " records sealed anew; custody record " +
                 std::to_string(custody_.record().revision);
  log::Info("rotation finished: " + entry.detail);
  TRY(audit_.Append(entry));
  return audit_.FlushAndSync();
}

}  // namespace dare::engine

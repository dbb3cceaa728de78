#include "engine/foreign_changes.h"

#include <utility>

#include "base/log.h"
#include "engine/change_ring.h"
#include "engine/lifecycle.h"
#include "engine/object_cache.h"
#include "engine/running_sum.h"
#include "engine/sessions.h"
#include "engine/vault.h"
#include "kmip/tags.h"
#include "store/object_store.h"

namespace dare::engine {

using kmip::State;
using kmip::Tag;

namespace {

// What holders must hear of. That a key becomes Active recalls nothing, and who got it right after
// that need not be told.
bool Recalls(State state) { return state != State::kPreActive && state != State::kActive; }

}  // namespace

ForeignChanges::ForeignChanges(const store::WholeReader& store, const Vault& vault,
                               ObjectCache& cache, Sessions& sessions, std::string node,
                               const Clock& clock)
    : store_(store),
      vault_(vault),
      cache_(cache),
      sessions_(sessions),
      node_(std::move(node)),
      clock_(clock) {}

Result<ForeignChanges::Numbers> ForeignChanges::NextRows() const {
  Numbers next = TRY(ChangeRing::Next(store_, vault_));
  next.erase(node_);
  return next;
}

void ForeignChanges::Begin(const std::string& principal) {
  const MutexLock lock(mutex_);
  listeners_.insert(principal);
  if (next_) return;
  Result<Numbers> next = NextRows();
  if (next) next_ = *std::move(next);
  if (!next) missed_ = true;
}

bool ForeignChanges::SomebodyListens() {
  if (listeners_.empty()) return false;
  sessions_.outbox.Publish({});  // which lets go of connections that are gone
  std::erase_if(listeners_, [&](const std::string& who) { return !sessions_.outbox.Wants(who); });
  return !listeners_.empty();
}

// Nothing where nobody listens.
Result<std::optional<ForeignChanges::Numbers>> ForeignChanges::Where() {
  const MutexLock lock(mutex_);
  if (!SomebodyListens()) {
    next_.reset();
    missed_ = false;
    return next_;
  }
  if (!next_) next_ = TRY(NextRows());
  return next_;
}

void ForeignChanges::Look() {
  for (const ObjectChange& change : std::exchange(for_holders_, {})) TellHolders(change);
  const Result<void> read = CatchUp();
  if (!read && !std::exchange(failing_, true)) {
    log::Failure("what other nodes changed cannot be read: " + read.error().message);
  }
  if (read && std::exchange(failing_, false)) log::Info("what other nodes changed is read again");
}

Result<void> ForeignChanges::CatchUp() {
  std::optional<Numbers> next = TRY(Where());
  if (!next) return {};
  Result<void> followed = FollowAll(*next);
  {
    const MutexLock lock(mutex_);
    next_ = std::move(next);
  }
  TRY(std::move(followed));
  if (!missed_) return {};
  TRY(TellOfHeldKeys());
  missed_ = false;
  return {};
}

Result<void> ForeignChanges::FollowAll(Numbers& next) {
  const std::string prefix = SumKeyOf("");
  for (const std::string& key : TRY(store_.ListMeta(prefix))) {
    const std::string node = key.substr(prefix.size());
    if (node != node_) TRY(Follow(node, next.try_emplace(node, 1).first->second));
  }
  return {};
}

Result<void> ForeignChanges::Follow(const std::string& node, std::uint64_t& next) {
  for (;;) {
    std::optional<ChangeRing::Row> row = TRY(ChangeRing::Read(store_, vault_, node, next));
    if (!row) return {};
    if (row->number != next) {
      missed_ = true;
      next = row->number - ChangeRing::kSlots + 1;  // the oldest that may be there still
      continue;
    }
    ++next;
    if (!row->whole) missed_ = true;
    Tell(std::move(row->changes));
  }
}

void ForeignChanges::Tell(std::vector<ObjectChange> changes) {
  for (const ObjectChange& change : changes) {
    cache_.Forget(change.id);  // so that nobody gets it any more as it was
    const std::optional<State> state = change.changed.Enum<State>(Tag::kState);
    if (state && Recalls(*state)) for_holders_.push_back(change);
  }
  sessions_.outbox.Publish(std::move(changes));
}

void ForeignChanges::TellHolders(const ObjectChange& change) {
  std::vector<ObjectChange> recalls = sessions_.holders.RecallsOf(change);
  if (!recalls.empty()) sessions_.outbox.Publish(std::move(recalls));
}

// Whether they were told already is not known: better twice than never.
Result<void> ForeignChanges::TellOfHeldKeys() {
  for (const std::string& id : sessions_.holders.Keys()) {
    const Result<StoredObject> stored = vault_.Load(store_, id, Vault::Material::kLeaveSealed);
    if (!stored && stored.error().code == Code::kNotFound) continue;
    if (!stored) return stored.error();
    const State state = EffectiveState(stored->object.attributes, clock_.Now());
    if (!Recalls(state)) continue;
    ObjectChange change{.owner = stored->object.owner, .id = id, .version = kmip::kVersion1_4};
    change.changed.Add(
        kmip::Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(state)));
    TellHolders(change);
  }
  return {};
}

}  // namespace dare::engine

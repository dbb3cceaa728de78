#include "custody/key_life.h"

#include <algorithm>
#include <utility>

#include "hsm/sealed_record.h"

namespace dare::custody {
namespace {

bool Lives(const CustodyKey& key) { return key.state <= KeyState::kRetiring; }

bool Wraps(const CustodyRecord& record, const Bytes& id) {
  return std::ranges::any_of(record.keys, [&](const CustodyKey& key) {
    return Lives(key) &&
           std::ranges::find(key.holders, id, &KeyHolder::wrapping_key) != key.holders.end();
  });
}

Result<void> RefuseDuringRotation(const CustodyRecord& record) {
  const auto retiring = std::ranges::find(record.keys, KeyState::kRetiring, &CustodyKey::state);
  if (retiring == record.keys.end()) return {};
  return Error(Code::kConflict, "a rotation is under way: records are still sealed under key " +
                                    ToHex(retiring->id) + "; wait until it is finished");
}

// A token without a master key, or that lost the one it had, gets one: it can do no harm.
Result<KeyHolder> WrapFor(Custody& custody, const CustodyRecord& record, const std::string& token,
                          const RootSealer& root) {
  auto holder = custody.opener().Wrap(token, WrappingKeyOf(record, token), root);
  if (holder || holder.error().code != Code::kNotFound) return holder;
  const auto configured = custody.opener().tokens().tokens();
  if (std::ranges::find(configured, token) == configured.end()) return holder;
  const auto made = TRY(custody.opener().tokens().Create(token));
  return custody.opener().Wrap(token, made->info().key_id, root);
}

// A backup that was put back may need what was proven to be of no use before.
Result<void> RefuseIfNeeded(store::ObjectStore& store, const std::vector<Bytes>& ids) {
  constexpr std::size_t kPage = 1024;
  const auto picture = TRY(store.Snapshot());
  for (std::uint64_t after = 0;;) {
    const auto page = TRY(picture->Scan(after, kPage));
    for (const store::PlacedRecord& item : page.items) {
      const auto id = hsm::KeyIdOf(item.record.material);
      if (id && std::ranges::find(ids, *id) != ids.end()) {
        return Error(Code::kConflict, "record " + item.record.id + " is sealed under key " +
                                          ToHex(*id) + ": rotate first");
      }
    }
    if (page.next == 0) return {};
    after = page.next;
  }
}

Result<CustodyKey> NewRoot(Custody& custody, const CustodyRecord& record,
                           std::vector<TokenFailure>& left_out) {
  const std::unique_ptr<RootSealer> root = TRY(NewRootKey());
  CustodyKey key = TRY(DescribeRoot(*root, custody.clock().Now()));
  for (const std::string& token : custody.opener().tokens().tokens()) {
    auto holder = WrapFor(custody, record, token, *root);
    if (holder) {
      key.holders.push_back(*std::move(holder));
    } else {
      left_out.push_back({token, std::move(holder).error()});
    }
  }
  if (!key.holders.empty()) return key;
  return Error(Code::kUnavailable, "no HSM can hold the new root key: " + left_out[0].token + ": " +
                                       left_out[0].error.message);
}

// Made in one token, the first that can: it exists nowhere else.
Result<CustodyKey> NewMaster(Custody& custody, std::vector<TokenFailure>& left_out) {
  for (const std::string& token : custody.opener().tokens().tokens()) {
    const auto made = [&]() -> Result<CustodyKey> {
      const auto master = TRY(custody.opener().tokens().Create(token));
      return DescribeMaster(*master, KeyOrigin::kToken, token, custody.clock().Now());
    }();
    if (made) return made;
    left_out.push_back({token, made.error()});
  }
  return Error(Code::kUnavailable, left_out.empty()
                                       ? "no token is configured"
                                       : "no HSM makes a new master key: " + left_out[0].token +
                                             ": " + left_out[0].error.message);
}

Result<void> TakeOver(CustodyRecord& record, const Bytes& id, SealingMode mode) {
  TRY(RefuseDuringRotation(record));
  CustodyKey* const next = record.Find(id);
  if (next == nullptr) return Error(Code::kNotFound, "the store knows no key " + ToHex(id));
  if (next->state != KeyState::kPrepared) {
    return Error(Code::kDenied, "key " + ToHex(id) + " is " + std::string(NameOf(next->state)) +
                                    ", and only a prepared one can take over");
  }
  std::ranges::find(record.keys, KeyState::kCurrent, &CustodyKey::state)->state =
      KeyState::kRetiring;
  next->state = KeyState::kCurrent;
  record.mode = mode;
  return {};
}

}  // namespace

Bytes WrappingKeyOf(const CustodyRecord& record, const std::string& token) {
  Bytes id;
  for (const CustodyKey& key : record.keys) {
    const auto holder = std::ranges::find(key.holders, token, &KeyHolder::token);
    if (holder == key.holders.end() || key.state == KeyState::kDestroyed) continue;
    id = key.kind == KeyKind::kRoot ? holder->wrapping_key : key.id;  // the newest word counts
  }
  return id;
}

Result<RotationBegun> BeginRotation(Custody& custody, const RotationRequest& request) {
  TRY(custody.Refresh());
  const CustodyRecord before = custody.record();
  TRY(RefuseDuringRotation(before));
  RotationBegun begun;
  begun.from = before.current().id;
  SealingMode mode = request.mode.value_or(before.mode);
  CustodyKey next;
  if (!request.prepared.empty()) {
    const CustodyKey* const prepared = before.Find(request.prepared);
    if (prepared == nullptr) {
      return Error(Code::kNotFound, "the store knows no key " + ToHex(request.prepared));
    }
    mode = prepared->kind == KeyKind::kRoot ? SealingMode::kRoot : SealingMode::kDirect;
    next = *prepared;
  } else if (mode == SealingMode::kRoot) {
    next = TRY(NewRoot(custody, before, begun.left_out));
  } else {
    next = TRY(NewMaster(custody, begun.left_out));
  }
  begun.to = next.id;
  next.state = KeyState::kPrepared;
  TRY(custody.Change([&](CustodyRecord& record) -> Result<void> {
    if (record.Find(next.id) == nullptr) record.keys.push_back(next);
    return TakeOver(record, next.id, mode);
  }));
  return begun;
}

Result<void> EndRotation(Custody& custody) {
  return custody.Change([&](CustodyRecord& record) -> Result<void> {
    for (CustodyKey& key : record.keys) {
      if (key.state != KeyState::kRetiring) continue;
      key.state = KeyState::kRetired;
      key.retired = custody.clock().Now();
    }
    return {};
  });
}

Result<std::vector<Bytes>> DestroyRetired(Custody& custody) {
  TRY(custody.Refresh());
  const CustodyRecord record = custody.record();
  TRY(RefuseDuringRotation(record));
  std::vector<Bytes> destroyed;
  for (const CustodyKey& key : record.keys) {
    if (key.state == KeyState::kRetired && !Wraps(record, key.id)) destroyed.push_back(key.id);
  }
  if (destroyed.empty()) return destroyed;
  TRY(RefuseIfNeeded(custody.store(), destroyed));
  for (const CustodyKey& key : record.keys) {
    if (std::ranges::find(destroyed, key.id) == destroyed.end()) continue;
    if (key.kind == KeyKind::kMaster) {
      for (const KeyHolder& holder : key.holders) {
        const auto gone = custody.opener().tokens().Destroy(holder.token, key.id);
        // An earlier attempt may have come as far as the token.
        if (!gone && gone.error().code != Code::kNotFound) {
          return gone.error().In("cannot destroy key " + ToHex(key.id) + " in " + holder.token);
        }
      }
    }
  }
  TRY(custody.Change([&](CustodyRecord& changed) -> Result<void> {
    for (const Bytes& id : destroyed) {
      CustodyKey* const key = changed.Find(id);
      if (key == nullptr || key->state != KeyState::kRetired) continue;
      key->state = KeyState::kDestroyed;
      key->holders.clear();
    }
    return {};
  }));
  return destroyed;
}

Result<void> AddToken(Custody& custody, const std::string& token, Holder holder) {
  TRY(custody.Refresh());
  const CustodyRecord before = custody.record();
  const auto& holders = before.current().holders;
  if (holder == Holder::kNew &&
      std::ranges::find(holders, token, &KeyHolder::token) != holders.end()) {
    return Error(Code::kAlreadyExists, "HSM '" + token + "' holds the store's key already");
  }
  std::vector<std::pair<Bytes, KeyHolder>> added;
  for (const CustodyKey& key : before.keys) {
    if (key.state != KeyState::kCurrent && key.state != KeyState::kRetiring) continue;
    if (key.kind == KeyKind::kRoot) {
      const auto sealer = custody.ring().Find(key.id);
      const auto* const root = dynamic_cast<const RootSealer*>(sealer.get());
      if (root == nullptr) return Error(Code::kUnavailable, "the root key is not open here");
      added.emplace_back(key.id, TRY(WrapFor(custody, before, token, *root)));
    } else if (key.state == KeyState::kCurrent) {
      const auto master = custody.opener().OpenMaster(token, key.id, key.origin);
      if (!master && master.error().code == Code::kNotFound) {
        return Error(Code::kDenied,
                     "HSM '" + token + "' does not hold master key " + ToHex(key.id) +
                         ", and in 'direct' mode each must: restore it there from shares "
                         "(dare-kms hsm restore), or rotate to --sealing root, where each HSM "
                         "wraps the root key under a key of its own");
      }
      if (!master) return master.error();
      added.emplace_back(key.id, KeyHolder{token, {}, {}});
    }
  }
  return custody.Change([&](CustodyRecord& record) -> Result<void> {
    for (const auto& [id, added_holder] : added) {
      CustodyKey* const key = record.Find(id);
      if (key == nullptr || !Lives(*key)) {
        return Error(Code::kConflict, "the store's keys changed meanwhile; try again");
      }
      std::erase_if(key->holders, [&](const KeyHolder& old) { return old.token == token; });
      key->holders.push_back(added_holder);
    }
    return {};
  });
}

Result<void> RemoveToken(Custody& custody, const std::string& token) {
  TRY(custody.Refresh());
  for (CustodyKey key : custody.record().keys) {
    if (key.state != KeyState::kCurrent && key.state != KeyState::kRetiring) continue;
    const auto holders =
        std::erase_if(key.holders, [&](const KeyHolder& holder) { return holder.token == token; });
    if (holders == 0) {
      if (key.state == KeyState::kRetiring) continue;
      return Error(Code::kNotFound, "HSM '" + token + "' does not hold the store's key");
    }
    if (key.holders.empty()) {
      return Error(Code::kDenied, "HSM '" + token + "' is the only one that holds the store's " +
                                      std::string(NameOf(key.kind)) + "; add another one first");
    }
    std::vector<TokenFailure> failures;
    if (const auto others = custody.opener().Open(key, failures); !others) {
      return Error(Code::kDenied, "without HSM '" + token +
                                      "' the store would not open: " + others.error().message);
    }
  }
  return custody.Change([&](CustodyRecord& record) -> Result<void> {
    for (CustodyKey& key : record.keys) {
      if (!Lives(key) || key.holders.size() < 2) continue;
      std::erase_if(key.holders, [&](const KeyHolder& holder) { return holder.token == token; });
    }
    return {};
  });
}

}  // namespace dare::custody

#include "whole_store.h"

#include <optional>
#include <utility>

#include "configured_tokens.h"
#include "engine/store_facts.h"

namespace dare::kms {
namespace {

constexpr char kCustodyFact[] = "custody";  // which keys seal the store (docs/formats/custody.md)

}  // namespace

Result<KeyStation> OpenWhole(const server::Config& config, StoreUse use) {
  if (config.store.backend == "memory") {
    return Error(Code::kInvalidArgument, config.file + ": a store in memory has nothing to keep");
  }
  {
    const auto store = TRY(OpenStore(config, StoreUse::kRead));
    const auto key = store->GetMeta(engine::kRecordKeyFact);
    if (!key && key.error().code != Code::kNotFound) return key.error();
    if (!key && TRY(store->Extent()) == 0) {
      return Error(Code::kInvalidArgument, "the store of " + config.file + " is empty");
    }
    // Custody writes its first record where there is none, which a reader may not.
    const bool has_custody = store->GetMeta(kCustodyFact).has_value();
    if (key && !has_custody && use == StoreUse::kRead) {
      return Error(Code::kUnsupported, "the store of " + config.file +
                                           " comes from an earlier version: start the server "
                                           "once, which brings it up to this one");
    }
  }
  return OpenKeyStation(config, use);
}

Result<std::unique_ptr<custody::SealerRing>> OpenTokenKeys(const server::Config& config) {
  ConfiguredTokens tokens(config.hsm, SystemClock::Get());
  auto ring = std::make_unique<custody::SealerRing>();
  std::optional<Error> failure;
  for (const std::string& token : tokens.tokens()) {
    const auto ids = tokens.List(token);
    if (!ids) {
      if (!failure) failure = ids.error().In("HSM '" + token + "'");
      continue;
    }
    const bool first = ring->current_id().empty();
    for (const Bytes& id : *ids) {
      auto sealer = tokens.Open(token, id, custody::KeyOrigin::kCeremony);
      if (!sealer) {
        if (!failure) failure = sealer.error().In("HSM '" + token + "'");
        continue;
      }
      ring->Put({*std::move(sealer), nullptr});
      if (first) TRY(ring->SetCurrent(id));
    }
  }
  if (!ring->current_id().empty()) return ring;
  if (failure) return *failure;
  return Error(Code::kNotFound, "no HSM of the configuration has a master key");
}

void PreferKeyOf(const custody::CustodyRecord& record, custody::SealerRing& keys) {
  const custody::CustodyKey& current = record.current();
  if (keys.SetCurrent(current.id)) return;
  for (const custody::KeyHolder& holder : current.holders) {
    if (keys.SetCurrent(holder.wrapping_key)) return;
  }
}

}  // namespace dare::kms

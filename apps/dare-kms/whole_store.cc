#include "whole_store.h"

#include <utility>

#include "engine/store_facts.h"
#include "hsm/direct_sealer.h"
#include "hsm/master_key.h"
#include "store/sqlite_store.h"
#include "token.h"

namespace dare::kms {

Result<std::unique_ptr<hsm::Sealer>> OpenSealer(const server::Config& config) {
  auto pool = TRY(OpenToken(config.hsm));
  auto mek = TRY(hsm::MasterKey::Find(pool, config.hsm.mek_label));
  return std::unique_ptr<hsm::Sealer>(TRY(hsm::DirectSealer::Make(std::move(mek))));
}

Result<std::unique_ptr<store::ObjectStore>> OpenStoreAs(const server::Config& config,
                                                        WholeUse use) {
  if (config.store.backend == "memory") {
    return Error(Code::kInvalidArgument, config.file + ": a store in memory has nothing to keep");
  }
  store::SqliteOptions options;
  options.path = config.store.path;
  options.sole_owner = use == WholeUse::kOwn;
  options.read_only = use == WholeUse::kRead;
  return store::OpenSqliteStore(options);
}

Result<WholeStore> OpenWhole(const server::Config& config, WholeUse use) {
  WholeStore whole;
  whole.store = TRY(OpenStoreAs(config, use));
  if (const auto key = whole.store->GetMeta(engine::kRecordKeyFact); !key) {
    if (key.error().code != Code::kNotFound) return key.error();
    if (TRY(whole.store->Extent()) == 0) {
      return Error(Code::kInvalidArgument, "the store of " + config.file + " is empty");
    }
  }
  whole.sealer = TRY(OpenSealer(config));
  whole.vault = TRY(engine::Vault::Open(*whole.store, *whole.sealer));
  return whole;
}

}  // namespace dare::kms

#include "resident_keys.h"

#include <boost/json.hpp>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "commands.h"
#include "hsm/resident_key.h"
#include "token.h"

namespace dare::kms {
namespace {

using hsm::ResidentEntry;

// "dare-kms-key STORE OBJECT".
struct Owner {
  std::string store;
  std::string object;
};

Owner OwnerOf(const ResidentEntry& key) {
  const std::string rest = key.label.substr(hsm::kResidentLabel.size());
  const std::size_t space = rest.find(' ');
  if (space == std::string::npos) return {rest, ""};
  return {rest.substr(0, space), rest.substr(space + 1)};
}

void Print(const std::vector<ResidentEntry>& keys, bool json) {
  boost::json::array all;
  for (const ResidentEntry& key : keys) {
    const Owner owner = OwnerOf(key);
    if (json) {
      all.push_back(boost::json::object{{"id", ToHex(key.id)},
                                        {"object", owner.object},
                                        {"store", owner.store},
                                        {"token", key.token_label},
                                        {"serial", key.token_serial}});
    } else {
      std::cout << ToHex(key.id) << "  " << owner.object << "  store " << owner.store << "  token "
                << key.token_label << "\n";
    }
  }
  if (json) std::cout << all << "\n";
}

}  // namespace

std::unique_ptr<hsm::ResidentKeys> OpenResidentKeys(const server::HsmConfig& config) {
  std::vector<server::TokenConfig> tokens = {config};
  tokens.insert(tokens.end(), config.tokens.begin(), config.tokens.end());
  std::vector<std::shared_ptr<hsm::SessionPool>> pools;
  for (const server::TokenConfig& token : tokens) {
    if (token.tpm) continue;
    auto pool = OpenToken(token, config.softhsm2_conf);
    if (pool) {
      pools.push_back(*std::move(pool));
    } else {
      log::Warning("keys in token '" + token.name + "' cannot be used: " + pool.error().message);
    }
  }
  if (pools.empty()) return nullptr;
  return std::make_unique<hsm::TokenResidentKeys>(std::move(pools), config.most_resident_keys);
}

Result<void> ResidentKeys(const ResidentKeysOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(StartSecureHeap(config.secure_heap_bytes));
  const auto keys = OpenResidentKeys(config.hsm);
  if (keys == nullptr) return Error(Code::kUnavailable, "no token of the configuration answers");
  const std::vector<ResidentEntry> all = TRY(keys->List(std::string(hsm::kResidentLabel)));
  if (options.remove.empty()) {
    Print(all, options.json);
    return {};
  }
  for (const ResidentEntry& key : all) {
    if (ToHex(key.id) == options.remove) return keys->Remove(key);
  }
  return Error(Code::kNotFound, "no token has a key of ours with the id " + options.remove);
}

}  // namespace dare::kms

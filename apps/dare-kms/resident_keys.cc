#include <boost/json.hpp>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "configured_tokens.h"
#include "hsm/resident_key.h"
#include "server/config.h"

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

Result<void> ResidentKeys(const ResidentKeysOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(StartSecureHeap(config.secure_heap_bytes));
  const ConfiguredTokens tokens(config.hsm, SystemClock::Get());
  hsm::TokenResidentKeys keys(tokens.ResidentSeats(), config.hsm.most_resident_keys);
  if (!keys.AnyCame()) return Error(Code::kUnavailable, "no token of the configuration answers");
  const std::vector<ResidentEntry> all = TRY(keys.List(std::string(hsm::kResidentLabel)));
  if (options.remove.empty()) {
    Print(all, options.json);
    return {};
  }
  for (const ResidentEntry& key : all) {
    if (ToHex(key.id) == options.remove) return keys.Remove(key);
  }
  return Error(Code::kNotFound, "no token has a key of ours with the id " + options.remove);
}

}  // namespace dare::kms

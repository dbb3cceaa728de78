#include "custody/tokens_for_test.h"

#include <algorithm>
#include <utility>

#include "custody/root_sealer.h"
#include "hsm/memory_sealer_for_test.h"

namespace dare::custody {

TokensForTest::TokensForTest(std::vector<std::string> names) : names_(std::move(names)) {}

Result<void> TokensForTest::CheckThere(const std::string& token) {
  if (std::ranges::find(names_, token) == names_.end()) {
    return Error(Code::kNotFound, "no token '" + token + "' is configured");
  }
  if (gone_.contains(token)) return Error(Code::kUnavailable, "the token is gone");
  return {};
}

Result<std::shared_ptr<hsm::Sealer>> TokensForTest::Open(const std::string& token, const Bytes& id,
                                                         KeyOrigin origin) {
  const MutexLock lock(mutex_);
  TRY(CheckThere(token));
  const std::map<Bytes, Key>& keys = keys_[token];
  if (id.empty() && keys.size() > 1) return Error(Code::kConflict, "several master keys");
  const auto key = id.empty() ? keys.begin() : keys.find(id);
  if (key == keys.end()) return Error(Code::kNotFound, "no such master key");
  if (key->second.origin == KeyOrigin::kCeremony && origin == KeyOrigin::kToken) {
    return Error(Code::kDenied, "not made in the token");
  }
  return key->second.sealer;
}

Result<std::shared_ptr<hsm::Sealer>> TokensForTest::OpenTogether(
    const std::vector<std::string>& tokens, const Bytes& id, KeyOrigin origin) {
  Result<std::shared_ptr<hsm::Sealer>> last = Error(Code::kUnavailable, "no token");
  for (const std::string& token : tokens) {
    last = Open(token, id, origin);
    if (last) return last;
  }
  return last;
}

Result<std::shared_ptr<hsm::Sealer>> TokensForTest::Create(const std::string& token) {
  const MutexLock lock(mutex_);
  TRY(CheckThere(token));
  std::shared_ptr<hsm::Sealer> made = hsm::MemorySealerForTest::Make();
  keys_[token].emplace(made->info().key_id, Key{made, KeyOrigin::kToken});
  return made;
}

Result<std::shared_ptr<hsm::Sealer>> TokensForTest::Import(const std::string& token,
                                                           const Bytes& id, const SecretBytes& key,
                                                           std::optional<std::uint8_t>) {
  const MutexLock lock(mutex_);
  TRY(CheckThere(token));
  SecretBytes copy = TRY(key.Clone());
  std::shared_ptr<hsm::Sealer> made = TRY(RootSealer::Make(id, std::move(copy)));
  if (!keys_[token].emplace(id, Key{made, KeyOrigin::kCeremony}).second) {
    return Error(Code::kAlreadyExists, "the token has that key");
  }
  return made;
}

Result<void> TokensForTest::Destroy(const std::string& token, const Bytes& id) {
  const MutexLock lock(mutex_);
  TRY(CheckThere(token));
  if (keys_[token].erase(id) == 0) return Error(Code::kNotFound, "no such master key");
  return {};
}

Result<std::vector<Bytes>> TokensForTest::List(const std::string& token) {
  const MutexLock lock(mutex_);
  TRY(CheckThere(token));
  std::vector<Bytes> ids;
  for (const auto& [id, key] : keys_[token]) ids.push_back(id);
  return ids;
}

void TokensForTest::PullOut(const std::string& token) {
  const MutexLock lock(mutex_);
  gone_.insert(token);
}

void TokensForTest::PutBack(const std::string& token) {
  const MutexLock lock(mutex_);
  gone_.erase(token);
}

}  // namespace dare::custody

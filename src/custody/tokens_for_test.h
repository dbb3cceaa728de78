#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "custody/master_keys.h"

namespace dare::custody {

// Tokens in memory: keys that come and go, tokens that are pulled out. Thread-safe.
class TokensForTest : public MasterKeys {
 public:
  explicit TokensForTest(std::vector<std::string> names);

  std::vector<std::string> tokens() const override { return names_; }
  Result<std::shared_ptr<hsm::Sealer>> Open(const std::string& token, const Bytes& id,
                                            KeyOrigin origin) override;
  Result<std::shared_ptr<hsm::Sealer>> OpenTogether(const std::vector<std::string>& tokens,
                                                    const Bytes& id, KeyOrigin origin) override;
  Result<std::shared_ptr<hsm::Sealer>> Create(const std::string& token) override;
  Result<std::shared_ptr<hsm::Sealer>> Import(const std::string& token, const Bytes& id,
                                              const SecretBytes& key,
                                              std::optional<std::uint8_t> mechanism) override;
  Result<void> Destroy(const std::string& token, const Bytes& id) override;
  Result<std::vector<Bytes>> List(const std::string& token) override;

  void PullOut(const std::string& token) EXCLUDES(mutex_);
  void PutBack(const std::string& token) EXCLUDES(mutex_);

 private:
  struct Key {
    std::shared_ptr<hsm::Sealer> sealer;
    KeyOrigin origin;
  };
  Result<void> CheckThere(const std::string& token) REQUIRES(mutex_);

  const std::vector<std::string> names_;
  Mutex mutex_;
  std::map<std::string, std::map<Bytes, Key>> keys_ GUARDED_BY(mutex_);
  std::set<std::string> gone_ GUARDED_BY(mutex_);
};

}  // namespace dare::custody

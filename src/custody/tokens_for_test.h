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
  Result<Opened> Open(const std::string& token, const Bytes& id) override;
  std::shared_ptr<hsm::Sealer> Together(std::vector<std::shared_ptr<hsm::Sealer>> sealers) override;
  Result<Opened> Create(const std::string& token) override;
  Result<Opened> Import(const std::string& token, const Bytes& id, const SecretBytes& key) override;
  Result<void> Destroy(const std::string& token, const Bytes& id) override;
  Result<std::vector<Bytes>> List(const std::string& token) override;

  void PullOut(const std::string& token) EXCLUDES(mutex_);
  void PutBack(const std::string& token) EXCLUDES(mutex_);

 private:
  Result<void> CheckThere(const std::string& token) REQUIRES(mutex_);

  const std::vector<std::string> names_;
  Mutex mutex_;
  std::map<std::string, std::map<Bytes, Opened>> keys_ GUARDED_BY(mutex_);
  std::set<std::string> gone_ GUARDED_BY(mutex_);
};

}  // namespace dare::custody

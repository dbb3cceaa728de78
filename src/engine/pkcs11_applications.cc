#include "engine/pkcs11_applications.h"

#include <algorithm>

#include "crypto/random.h"
#include "kmip/reject.h"

namespace dare::engine {

Result<Bytes> Pkcs11Applications::Begin(const std::string& principal) {
  Bytes correlation(16);
  TRY(crypto::RandomBytes(correlation));
  const auto now = clock_.Steady();
  const MutexLock lock(mutex_);
  std::erase_if(table_, [&](const auto& entry) { return entry.second.good_until <= now; });
  const auto of_one = std::ranges::count_if(
      table_, [&](const auto& entry) { return entry.second.principal == principal; });
  if (table_.size() >= kMost || static_cast<std::size_t>(of_one) >= kMostOfOne) {
    return kmip::Reject(kmip::ResultReason::kServerLimitExceeded,
                        "too many applications without C_Finalize");
  }
  table_.emplace(correlation, Application{principal, now + kPatience});
  return correlation;
}

Pkcs11Applications::Table::iterator Pkcs11Applications::Find(ByteView correlation,
                                                             const std::string& principal) {
  const auto found = table_.find(ToBytes(correlation));
  if (found == table_.end() || found->second.principal != principal ||
      found->second.good_until <= clock_.Steady()) {
    return table_.end();
  }
  return found;
}

bool Pkcs11Applications::Has(ByteView correlation, const std::string& principal) {
  const MutexLock lock(mutex_);
  const auto found = Find(correlation, principal);
  if (found == table_.end()) return false;
  found->second.good_until = clock_.Steady() + kPatience;
  return true;
}

bool Pkcs11Applications::End(ByteView correlation, const std::string& principal) {
  const MutexLock lock(mutex_);
  const auto found = Find(correlation, principal);
  if (found == table_.end()) return false;
  table_.erase(found);
  return true;
}

}  // namespace dare::engine

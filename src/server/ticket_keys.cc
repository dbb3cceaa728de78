#include "server/ticket_keys.h"

#include <openssl/rand.h>

#include <algorithm>
#include <utility>

namespace dare::server {
namespace {

constexpr std::size_t kKeyBytes = 32;

Result<TicketKey> NewTicketKey() {
  TicketKey key;
  if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1) {
    return Error(Code::kUnavailable, "the random generator failed");
  }
  key.cipher_key = TRY(SecretBytes::Random(kKeyBytes));
  key.mac_key = TRY(SecretBytes::Random(kKeyBytes));
  return key;
}

}  // namespace

Result<void> TicketKeys::Rotate() {
  const std::int64_t now = clock_.Now();
  const std::int64_t age = now - made_at_;
  if (current_ && age >= 0 && age < seconds_) return {};
  TicketKey fresh = TRY(NewTicketKey());
  previous_.reset();
  if (current_ && age >= 0 && age < 2 * seconds_) previous_ = std::move(current_);
  current_ = std::move(fresh);
  made_at_ = now;
  return {};
}

bool TicketKeys::Is(const std::optional<TicketKey>& key, ByteView name) {
  return key && std::equal(name.begin(), name.end(), key->name.begin(), key->name.end());
}

}  // namespace dare::server

#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"

namespace dare::server {

// One key that seals session tickets (AES-256-CBC, HMAC-SHA256). RFC 5077, section 4.
struct TicketKey {
  std::array<std::uint8_t, 16> name{};
  SecretBytes cipher_key;  // 32
  SecretBytes mac_key;     // 32
};

// TicketKeys hands out the key for new tickets, a fresh one every `seconds`, and still knows the
// one before, so that a ticket is good for at least `seconds` and at most twice that. Keys never
// leave the process. Thread-safe.
class TicketKeys {
 public:
  TicketKeys(std::int64_t seconds, const Clock& clock) : seconds_(seconds), clock_(clock) {}

  // Calls `use(key)` with the key for a new ticket.
  template <typename Use>
  Result<void> ForSealing(Use use) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    TRY(Rotate());
    return use(*current_);
  }
  // Calls `use(key, newest)` with the key of that name; kNotFound when it is gone.
  template <typename Use>
  Result<void> ForOpening(ByteView name, Use use) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    TRY(Rotate());
    if (Is(current_, name)) return use(*current_, true);
    if (Is(previous_, name)) return use(*previous_, false);
    return Error(Code::kNotFound, "unknown ticket key");
  }

 private:
  Result<void> Rotate() REQUIRES(mutex_);
  static bool Is(const std::optional<TicketKey>& key, ByteView name);

  const std::int64_t seconds_;
  const Clock& clock_;
  Mutex mutex_;
  std::optional<TicketKey> current_ GUARDED_BY(mutex_);
  std::optional<TicketKey> previous_ GUARDED_BY(mutex_);
  std::int64_t made_at_ GUARDED_BY(mutex_) = 0;
};

}  // namespace dare::server

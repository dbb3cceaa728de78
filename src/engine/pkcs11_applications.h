#pragma once

#include <chrono>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace dare::engine {

// Who called C_Initialize through the PKCS#11 operation and not yet C_Finalize, by Correlation
// Value: 16 random bytes. Bounded in number, and forgotten after ten minutes without a call. They
// live in this process. Thread-safe.
class Pkcs11Applications {
 public:
  explicit Pkcs11Applications(const Clock& clock) : clock_(clock) {}

  // C_Initialize: the new application's Correlation Value. kRejected (Server Limit Exceeded).
  Result<Bytes> Begin(const std::string& principal);
  // False when no such application of this principal's is there. Prolongs its life.
  bool Has(ByteView correlation, const std::string& principal);
  // C_Finalize; false when there was none.
  bool End(ByteView correlation, const std::string& principal);

 private:
  struct Application {
    std::string principal;
    std::chrono::steady_clock::time_point good_until;
  };
  using Table = std::map<Bytes, Application>;
  static constexpr std::size_t kMost = 1024;
  static constexpr std::size_t kMostOfOne = 16;  // of one principal
  static constexpr std::chrono::minutes kPatience{10};

  Table::iterator Find(ByteView correlation, const std::string& principal) REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  Table table_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine

#pragma once

#include <chrono>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "crypto/block_cipher.h"
#include "kmip/enums.h"

namespace dare::engine {

// One Encrypt or Decrypt that comes in several requests (kmip-2.1 6.1.17; kmip-1.4 4.29).
struct PartialCipher {
  std::string principal;  // only who began it may go on
  std::string object_id;
  kmip::Operation operation{};
  crypto::CipherStream stream;
};

// The streams that wait for their next part, by Correlation Value: 16 random bytes. Bounded in
// number, and forgotten after a minute without a part. They live in this process: a restart ends
// them, and the client begins again. Thread-safe; a stream that was taken belongs to the taker
// until it is put back.
class CipherStreams {
 public:
  explicit CipherStreams(const Clock& clock) : clock_(clock) {}

  // Keeps the stream and gives its Correlation Value, a new one when `correlation` is empty.
  // kRejected (Server Limit Exceeded) when too many wait.
  Result<Bytes> Put(PartialCipher partial, Bytes correlation);
  // kRejected (Invalid Correlation Value) when there is none, or it is another's, another key's or
  // another operation's.
  Result<PartialCipher> Take(ByteView correlation, const std::string& principal,
                             const std::string& object_id, kmip::Operation operation);

 private:
  struct Waiting {
    PartialCipher partial;
    std::chrono::steady_clock::time_point good_until;
  };
  static constexpr std::size_t kMost = 256;
  static constexpr std::size_t kMostOfOne = 16;  // of one principal
  static constexpr std::chrono::seconds kPatience{60};

  void DropOld() REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  std::map<Bytes, Waiting> waiting_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine

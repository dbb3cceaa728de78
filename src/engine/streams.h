#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/mutex.h"
#include "crypto/block_cipher.h"
#include "crypto/digest.h"
#include "crypto/mac.h"
#include "engine/operation.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/enums.h"

namespace dare::engine {

// One cryptographic operation that comes in several requests (kmip-2.1 6.1.17 and its like;
// kmip-1.4 4.29). Signing and verifying wait as hashes: the key is opened anew for each part, and
// signs the end.
struct UnfinishedStream {
  std::string principal;  // only who began it may go on
  std::string object_id;  // empty for Hash
  kmip::Operation operation{};
  std::variant<crypto::CipherStream, crypto::MacStream, crypto::DigestStream> state;
  kmip::CryptographicParameters parameters;  // of the first part, the object's defaults in them
  Bytes expected;                            // MAC Data or Signature Data that came already
};

// The streams that wait for their next part, by Correlation Value: 16 random bytes. Bounded in
// number, and forgotten after a minute without a part. They live in this process: a restart ends
// them, and the client begins again. Thread-safe; a stream that was taken belongs to the taker
// until it is put back.
class Streams {
 public:
  explicit Streams(const Clock& clock) : clock_(clock) {}

  // Keeps the stream and gives its Correlation Value, a new one when `correlation` is empty.
  // kRejected (Server Limit Exceeded) when too many wait.
  Result<Bytes> Put(UnfinishedStream stream, Bytes correlation);
  // kRejected (Invalid Correlation Value) when there is none, or it is another's, another key's or
  // another operation's.
  Result<UnfinishedStream> Take(ByteView correlation, const std::string& principal,
                                const std::string& object_id, kmip::Operation operation);

  // Ends all that wait.
  void Clear();

 private:
  struct Waiting {
    UnfinishedStream stream;
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

// What the operations do with a part. Each has in its request `correlation`, and in its response
// the Correlation Value that KeepStream gives while the stream goes on. A part advances the stream,
// so that it runs on the writer thread only: tried on a reading thread first, it might run twice.

// The stream of the request's Correlation Value, or else the one that `begin` makes: a
// Result<UnfinishedStream> with state, parameters and expected set.
template <typename Request, typename Begin>
Result<UnfinishedStream> ResumeOrBegin(const Request& request, const std::string& object_id,
                                       OperationContext& context, Begin begin) {
  TRY(context.RequireWriter());
  const std::string& principal = context.principal().name;
  if (request.correlation) {
    return context.streams().Take(*request.correlation, principal, object_id, context.operation());
  }
  UnfinishedStream stream = TRY(begin());
  stream.principal = principal;
  stream.object_id = object_id;
  stream.operation = context.operation();
  return stream;
}

template <typename Request>
Result<Bytes> KeepStream(const Request& request, UnfinishedStream stream,
                         OperationContext& context) {
  return context.streams().Put(std::move(stream),
                               request.correlation ? ToBytes(*request.correlation) : Bytes());
}

}  // namespace dare::engine

#include "engine/streams.h"

#include <algorithm>
#include <utility>

#include "crypto/random.h"
#include "kmip/reject.h"

namespace dare::engine {

using kmip::Reject;
using kmip::ResultReason;

void Streams::DropOld() {
  const auto now = clock_.Steady();
  std::erase_if(waiting_, [&](const auto& entry) { return entry.second.good_until <= now; });
}

Result<Bytes> Streams::Put(UnfinishedStream stream, Bytes correlation) {
  if (correlation.empty()) {
    correlation.resize(16);
    TRY(crypto::RandomBytes(correlation));
  }
  const MutexLock lock(mutex_);
  DropOld();
  const auto of_one = std::ranges::count_if(waiting_, [&](const auto& entry) {
    return entry.second.stream.principal == stream.principal;
  });
  if (waiting_.size() >= kMost || static_cast<std::size_t>(of_one) >= kMostOfOne) {
    return Reject(ResultReason::kServerLimitExceeded, "too many unfinished streams");
  }
  waiting_.insert_or_assign(correlation, Waiting{std::move(stream), clock_.Steady() + kPatience});
  return correlation;
}

Result<UnfinishedStream> Streams::Take(ByteView correlation, const std::string& principal,
                                       const std::string& object_id, kmip::Operation operation) {
  const MutexLock lock(mutex_);
  DropOld();
  const auto found = waiting_.find(ToBytes(correlation));
  if (found == waiting_.end() || found->second.stream.principal != principal ||
      found->second.stream.object_id != object_id || found->second.stream.operation != operation) {
    return Reject(ResultReason::kInvalidCorrelationValue, "no such stream");
  }
  UnfinishedStream stream = std::move(found->second.stream);
  waiting_.erase(found);
  return stream;
}

void Streams::Clear() {
  const MutexLock lock(mutex_);
  waiting_.clear();
}

}  // namespace dare::engine

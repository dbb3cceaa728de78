#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "engine/caller.h"
#include "kmip/message.h"
#include "kmip/payloads/query_asynchronous_requests.h"

namespace dare::engine {

// Whose asynchronous requests: those of one principal, or of one ticket of a principal.
struct AsynchronousOwner {
  std::string principal;
  const LiveTicket* ticket = nullptr;  // compared, never looked into
  friend bool operator==(const AsynchronousOwner&, const AsynchronousOwner&) = default;
};

inline AsynchronousOwner OwnerOf(const Caller& caller) {
  return {caller.principal.name, caller.ticket.get()};
}

// Asynchronous requests from their acceptance until their results are fetched (kmip-2.1 6.1.38).
// What one message begins together is done together, as one message in the order it came. It waits
// for a second first, in which it can be cancelled, or hurried with Process.
//
// Results may hold keys: they are wiped when they are fetched, or after ten minutes. Everything
// lives in this process: a restart forgets what was accepted and not done, and the results of what
// was done; what was done stays done. Bounded in number and bytes. Thread-safe.
class AsynchronousBook {
 public:
  explicit AsynchronousBook(const Clock& clock) : clock_(clock) {}

  // What shall be done, ready to be answered as a message of `caller`.
  struct Job {
    std::uint64_t id = 0;
    std::shared_ptr<const Caller> caller;
    WipingBytes message;
  };

  // Accepts `items`; gives each its Asynchronous Correlation Value. kRejected (Server Limit
  // Exceeded) when too much waits already.
  Result<std::vector<Bytes>> Begin(const Caller& caller, const kmip::RequestHeader& header,
                                   const std::vector<kmip::RequestItem>& items) EXCLUDES(mutex_);

  // The Batch Item of the response, once; nothing while it is pending. Invalid Asynchronous
  // Correlation Value where nothing of the owner's is outstanding under it, here and below.
  Result<std::optional<WipingBytes>> Fetch(ByteView correlation, const AsynchronousOwner& owner)
      EXCLUDES(mutex_);
  kmip::Operation OperationOf(ByteView correlation, const AsynchronousOwner& owner) const
      EXCLUDES(mutex_);
  Result<kmip::CancellationResult> Cancel(ByteView correlation, const AsynchronousOwner& owner)
      EXCLUDES(mutex_);
  // Notes that a Process was answered; Duplicate Process Request the second time.
  Result<void> NoteProcess(ByteView correlation, const AsynchronousOwner& owner) EXCLUDES(mutex_);
  std::vector<kmip::QueryAsynchronousRequestsResponse::Request> List(
      const AsynchronousOwner& owner) const EXCLUDES(mutex_);

  // True when a Poll shall wait for the result: where the client only permitted us to be
  // asynchronous, and where its version has no Process to say that it wants to wait.
  bool PollHurries(ByteView correlation, const AsynchronousOwner& owner) const EXCLUDES(mutex_);
  // The job with this item, if nobody began it yet. Who takes a job must Finish it.
  std::optional<Job> Take(ByteView correlation, const AsynchronousOwner& owner) EXCLUDES(mutex_);
  // Waits for jobs whose second is over; none after Stop.
  std::vector<Job> WaitForDue() EXCLUDES(mutex_);
  void Stop() EXCLUDES(mutex_);
  // Drops results that wait to be fetched; what is not done yet stays.
  void ForgetResults() EXCLUDES(mutex_);
  // May be called again, when what was expected did not come true.
  void Finish(std::uint64_t job, ByteView response) EXCLUDES(mutex_);

 private:
  struct Item {
    Bytes correlation;
    kmip::Operation operation{};
    Bytes batch_item_id;
    bool cancelled = false;
    bool processed = false;  // by a Process
    bool fetched = false;
    WipingBytes request;   // Batch Item, until it is begun
    WipingBytes response;  // Batch Item, once it is done
  };
  struct Entry {
    AsynchronousOwner owner;
    std::shared_ptr<const Caller> caller;
    kmip::RequestHeader header;
    std::int64_t submitted = 0;  // microseconds since the epoch
    std::chrono::steady_clock::time_point due;
    std::chrono::steady_clock::time_point good_until;  // of the results
    kmip::ProcessingStage stage = kmip::ProcessingStage::kSubmitted;
    std::vector<Item> items;
  };
  using Place = std::pair<std::uint64_t, std::size_t>;
  static constexpr std::chrono::seconds kDelay{1};
  static constexpr std::chrono::milliseconds kLook{100};  // how often, while something waits
  static constexpr std::chrono::minutes kKeep{10};
  static constexpr std::size_t kMostOfOne = 64;
  static constexpr std::size_t kMost = 1024;
  static constexpr std::size_t kMostBytes = 64u << 20;

  Result<Place> Find(ByteView correlation, const AsynchronousOwner& owner) const REQUIRES(mutex_);
  Job TakeEntry(std::uint64_t id, Entry& entry) REQUIRES(mutex_);
  static WipingBytes MessageOf(const Entry& entry);
  void DropOld() REQUIRES(mutex_);
  void DropIfDone(std::uint64_t id) REQUIRES(mutex_);
  std::size_t BytesHeld() const REQUIRES(mutex_);
  std::vector<Job> TakeDue() REQUIRES(mutex_);
  bool HasWaiting() const REQUIRES(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine

#include "engine/asynchronous_book.h"

#include <algorithm>
#include <utility>

#include "crypto/random.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using kmip::CancellationResult;
using kmip::ProcessingStage;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr std::size_t kCorrelationBytes = 16;

Bytes Copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

// The Batch Items of a response, whole.
std::vector<ByteView> ItemsOf(ByteView response) {
  std::vector<ByteView> items;
  const auto message = ttlv::ParseItem(response);
  if (!message) return items;
  auto members = message->Members();
  while (members && !members->AtEnd()) {
    const auto member = members->Next();
    if (!member) break;
    if (member->tag == Tag::kBatchItem) items.push_back(member->whole);
  }
  return items;
}

WipingBytes Refusal(kmip::Operation operation, const Bytes& batch_item_id, ResultReason reason,
                    const std::string& message) {
  kmip::ResponseItem head;
  head.operation = operation;
  if (!batch_item_id.empty()) head.unique_batch_item_id = ByteView(batch_item_id);
  head.status = kmip::ResultStatus::kOperationFailed;
  head.reason = reason;
  head.message = message;
  ttlv::Writer out;
  out.Structure(Tag::kBatchItem, [&] { kmip::WriteResponseItemHead(out, head); });
  return out.Take();
}

}  // namespace

Result<std::vector<Bytes>> AsynchronousBook::Begin(const Caller& caller,
                                                   const kmip::RequestHeader& header,
                                                   const std::vector<kmip::RequestItem>& items) {
  Entry entry;
  entry.owner = OwnerOf(caller);
  entry.caller = std::make_shared<const Caller>(caller);
  entry.header.version = header.version;
  entry.header.asynchrony = header.asynchrony;
  entry.header.client_correlation = header.client_correlation;
  entry.header.on_error = header.on_error;
  entry.header.on_error_given = header.on_error_given && items.size() > 1;
  entry.submitted = clock_.Now() * 1'000'000;
  entry.due = clock_.Steady() + kDelay;
  std::vector<Bytes> correlations;
  std::size_t bytes = 0;
  for (const kmip::RequestItem& given : items) {
    Item item;
    item.correlation.resize(kCorrelationBytes);
    TRY(crypto::RandomBytes(item.correlation));
    item.operation = given.operation;
    if (given.unique_batch_item_id) item.batch_item_id = Copy(*given.unique_batch_item_id);
    item.request.assign(given.whole.begin(), given.whole.end());
    bytes += item.request.size();
    correlations.push_back(item.correlation);
    entry.items.push_back(std::move(item));
  }
  const MutexLock lock(mutex_);
  DropOld();
  std::size_t count = items.size(), of_one = items.size();
  for (const auto& [id, other] : entries_) {
    count += other.items.size();
    if (other.owner.principal == entry.owner.principal) of_one += other.items.size();
  }
  if (count > kMost || of_one > kMostOfOne || BytesHeld() + bytes > kMostBytes) {
    return Reject(ResultReason::kServerLimitExceeded, "too many asynchronous requests wait");
  }
  entries_.emplace(++last_id_, std::move(entry));
  wake_.NotifyOne();
  return correlations;
}

Result<AsynchronousBook::Place> AsynchronousBook::Find(ByteView correlation,
                                                       const AsynchronousOwner& owner) const {
  for (const auto& [id, entry] : entries_) {
    if (!(entry.owner == owner)) continue;
    for (std::size_t i = 0; i < entry.items.size(); ++i) {
      const Item& item = entry.items[i];
      if (item.cancelled || item.fetched) continue;
      if (std::ranges::equal(item.correlation, correlation)) return Place{id, i};
    }
  }
  return Reject(ResultReason::kInvalidAsynchronousCorrelationValue,
                "nothing is outstanding under this Asynchronous Correlation Value");
}

Result<std::optional<WipingBytes>> AsynchronousBook::Fetch(ByteView correlation,
                                                           const AsynchronousOwner& owner) {
  const MutexLock lock(mutex_);
  DropOld();
  const auto [id, at] = TRY(Find(correlation, owner));
  Entry& entry = entries_.at(id);
  if (entry.stage != ProcessingStage::kCompleted) return std::optional<WipingBytes>();
  Item& item = entry.items[at];
  item.fetched = true;
  std::optional<WipingBytes> response = std::move(item.response);
  DropIfDone(id);
  return response;
}

kmip::Operation AsynchronousBook::OperationOf(ByteView correlation,
                                              const AsynchronousOwner& owner) const {
  const MutexLock lock(mutex_);
  const auto place = Find(correlation, owner);
  if (!place) return kmip::Operation::kPoll;
  return entries_.at(place->first).items[place->second].operation;
}

Result<CancellationResult> AsynchronousBook::Cancel(ByteView correlation,
                                                    const AsynchronousOwner& owner) {
  const MutexLock lock(mutex_);
  DropOld();
  const auto [id, at] = TRY(Find(correlation, owner));
  Entry& entry = entries_.at(id);
  switch (entry.stage) {
    case ProcessingStage::kSubmitted:
      entry.items[at].cancelled = true;
      entry.items[at].request = {};
      DropIfDone(id);
      return CancellationResult::kCanceled;
    case ProcessingStage::kInProcess:
      return CancellationResult::kUnableToCancel;
    case ProcessingStage::kCompleted:
      return CancellationResult::kCompleted;
  }
  return CancellationResult::kUnavailable;
}

Result<void> AsynchronousBook::NoteProcess(ByteView correlation, const AsynchronousOwner& owner) {
  const MutexLock lock(mutex_);
  const auto [id, at] = TRY(Find(correlation, owner));
  Entry& entry = entries_.at(id);
  if (std::exchange(entry.items[at].processed, true)) {
    return Reject(ResultReason::kDuplicateProcessRequest, "it was processed already");
  }
  entry.due = clock_.Steady();  // where nobody took it before this was called
  wake_.NotifyOne();
  return {};
}

std::vector<kmip::QueryAsynchronousRequestsResponse::Request> AsynchronousBook::List(
    const AsynchronousOwner& owner) const {
  std::vector<kmip::QueryAsynchronousRequestsResponse::Request> list;
  const MutexLock lock(mutex_);
  for (const auto& [id, entry] : entries_) {
    if (!(entry.owner == owner)) continue;
    for (const Item& item : entry.items) {
      if (item.cancelled || item.fetched) continue;
      list.push_back({item.correlation, item.operation, entry.submitted, entry.stage});
    }
  }
  return list;
}

WipingBytes AsynchronousBook::MessageOf(const Entry& entry) {
  kmip::RequestHeader header = entry.header;
  header.asynchrony = kmip::Asynchrony::kProhibited;
  header.batch_count = 0;
  for (const Item& item : entry.items) header.batch_count += item.cancelled ? 0 : 1;
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::WriteRequestHeader(out, header);
    for (const Item& item : entry.items) {
      if (!item.cancelled) out.Raw(item.request);
    }
  });
  return out.Take();
}

AsynchronousBook::Job AsynchronousBook::TakeEntry(std::uint64_t id, Entry& entry) {
  entry.stage = ProcessingStage::kInProcess;
  Job job{.id = id, .caller = entry.caller, .message = MessageOf(entry)};
  for (Item& item : entry.items) item.request = {};
  return job;
}

bool AsynchronousBook::PollHurries(ByteView correlation, const AsynchronousOwner& owner) const {
  const MutexLock lock(mutex_);
  const auto place = Find(correlation, owner);
  if (!place) return false;
  const Entry& entry = entries_.at(place->first);
  return entry.stage != ProcessingStage::kCompleted &&
         (entry.header.asynchrony == kmip::Asynchrony::kOptional ||
          entry.header.version < kmip::kVersion2_1);
}

std::optional<AsynchronousBook::Job> AsynchronousBook::Take(ByteView correlation,
                                                            const AsynchronousOwner& owner) {
  const MutexLock lock(mutex_);
  const auto place = Find(correlation, owner);
  if (!place) return std::nullopt;
  Entry& entry = entries_.at(place->first);
  if (entry.stage != ProcessingStage::kSubmitted) return std::nullopt;
  return TakeEntry(place->first, entry);
}

std::vector<AsynchronousBook::Job> AsynchronousBook::TakeDue() {
  std::vector<Job> jobs;
  for (auto& [id, entry] : entries_) {
    if (entry.stage != ProcessingStage::kSubmitted || entry.due > clock_.Steady()) continue;
    jobs.push_back(TakeEntry(id, entry));
  }
  return jobs;
}

std::vector<AsynchronousBook::Job> AsynchronousBook::WaitForDue() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (std::vector<Job> jobs = TakeDue(); !jobs.empty()) return jobs;
    if (HasWaiting()) {
      wake_.WaitFor(mutex_, kLook);
    } else {
      wake_.Wait(mutex_);
    }
  }
  return {};
}

void AsynchronousBook::Stop() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  wake_.NotifyAll();
}

void AsynchronousBook::Finish(std::uint64_t job, ByteView response) {
  const std::vector<ByteView> responses = ItemsOf(response);
  const MutexLock lock(mutex_);
  const auto found = entries_.find(job);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  const bool too_much = BytesHeld() + response.size() > kMostBytes;
  std::size_t next = 0;
  for (Item& item : entry.items) {
    if (item.cancelled) continue;
    const std::size_t at = next++;
    if (item.fetched) continue;
    if (too_much) {
      item.response = Refusal(item.operation, item.batch_item_id, ResultReason::kResponseTooLarge,
                              "it was done, but too many results wait to be fetched");
    } else if (at < responses.size()) {
      item.response.assign(responses[at].begin(), responses[at].end());
    } else {
      item.response = Refusal(item.operation, item.batch_item_id, ResultReason::kGeneralFailure,
                              "not done: an earlier item of the batch failed");
    }
  }
  entry.stage = ProcessingStage::kCompleted;
  entry.good_until = clock_.Steady() + kKeep;
}

bool AsynchronousBook::HasWaiting() const {
  return std::ranges::any_of(entries_, [](const auto& entry) {
    return entry.second.stage == ProcessingStage::kSubmitted;
  });
}

void AsynchronousBook::DropOld() {
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.second.stage == ProcessingStage::kCompleted &&
           entry.second.good_until <= clock_.Steady();
  });
}

void AsynchronousBook::ForgetResults() {
  const MutexLock lock(mutex_);
  std::erase_if(entries_, [](const auto& entry) {
    return entry.second.stage == ProcessingStage::kCompleted;
  });
}

void AsynchronousBook::DropIfDone(std::uint64_t id) {
  const auto& items = entries_.at(id).items;
  if (std::ranges::all_of(items, [](const Item& i) { return i.cancelled || i.fetched; })) {
    entries_.erase(id);
  }
}

std::size_t AsynchronousBook::BytesHeld() const {
  std::size_t bytes = 0;
  for (const auto& [id, entry] : entries_) {
    for (const Item& item : entry.items) bytes += item.request.size() + item.response.size();
  }
  return bytes;
}

}  // namespace dare::engine

#include "engine/batch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/approval_desk.h"
#include "engine/batch_data.h"
#include "engine/object_cache.h"
#include "engine/operation_table.h"
#include "engine/request_memory.h"
#include "engine/response_builder.h"
#include "engine/sessions.h"
#include "kmip/message.h"
#include "kmip/names.h"
#include "kmip/operation_table.h"
#include "kmip/payloads/poll.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;
using kmip::ResultStatus;
using kmip::Tag;

// Room for the largest answer to any one item, and for many small ones; what one item may answer
// beyond this is bounded by what it sent (Encrypt).
constexpr std::size_t kMostResponseBytes = 8u << 20;

// How often one item reads again what another node changed before it could change it.
constexpr int kMostConflicts = 3;

// What names a message in the audit log: the client's word for it and ours.
std::string RequestId(const kmip::RequestHeader& header, const Answered& answered) {
  if (header.client_correlation.empty()) return answered.server_correlation;
  return header.client_correlation + " " + answered.server_correlation;
}

// The walk over one message's items.
class Batch {
 public:
  Batch(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller, TicketUse& use,
        kmip::RequestMessage& message, const Changes& changes, ResponseBuilder& response,
        Answered& answered)
      : parts_(parts),
        most_bytes_(kMostResponseBytes + limits.max_message_bytes),
        caller_(caller),
        use_(use),
        message_(message),
        header_(message.header()),
        changes_(changes),
        transaction_(changes.transaction),
        response_(response),
        answered_(answered) {}

  Result<void> Run() {
    first_item_at_ = response_.size();
    if (header_.asynchrony == kmip::Asynchrony::kMandatory) return RunLater();
    const bool undo = header_.on_error == kmip::BatchErrorContinuationOption::kUndo;
    if (undo && transaction_ != nullptr) TRY(transaction_->Savepoint());
    bool failed = false;
    while (!message_.AtEnd()) {
      const bool done = TRY(RunItem());
      if (answered_.needs_writer) return {};
      failed |= !done;
      if (failed && header_.on_error != kmip::BatchErrorContinuationOption::kContinue) break;
    }
    if (undo && transaction_ != nullptr) {
      TRY(failed ? transaction_->RollbackTo() : transaction_->Release());
    }
    if (undo && failed) {
      for (const ApprovalRequest& request : left_requests_) TRY(Register(request));
      AnswerUndone();
    } else {
      answered_.changed = std::move(memory_.changed);
      answered_.told = std::move(memory_.told);
    }
    return {};
  }

  bool unrepeatable() const { return memory_.unrepeatable; }

  //= kmip-2.1 11.3 Asynchronous Indicator Enumeration
  //# The server SHALL process all batch items in the request asynchronously (returning an
  //# Asynchronous Correlation Value for each batch item).
  Result<void> RunLater() {
    std::vector<kmip::RequestItem> items;
    while (!message_.AtEnd()) {
      kmip::RequestItem item = TRY(message_.Next());
      if (!MayWait(item.operation)) {
        const Error error = Reject(ResultReason::kInvalidField, "never asynchronous: ask again");
        Record(item, nullptr, error);
        RefuseItem(&item, error);
        return {};
      }
      items.push_back(std::move(item));
    }
    return Accept(items);
  }

 private:
  // Operations about asynchronous requests, and about the connection, are answered at once.
  static bool MayWait(kmip::Operation operation) {
    switch (operation) {
      case kmip::Operation::kPoll:
      case kmip::Operation::kCancel:
      case kmip::Operation::kProcess:
      case kmip::Operation::kQueryAsynchronousRequests:
      case kmip::Operation::kSetEndpointRole:
        return false;
      default:
        return true;
    }
  }

  //= kmip-2.1 9.1 Asynchronous Correlation Value
  //# the server decides which operations are performed synchronously or asynchronously
  // Where the client leaves the choice: what moves objects between stores, for whoever prints it so
  // (TC-101), unless the item builds on others.
  bool WaitsByChoice(const kmip::RequestItem& item) const {
    if (header_.asynchrony != kmip::Asynchrony::kOptional) return false;
    if (header_.on_error == kmip::BatchErrorContinuationOption::kUndo) return false;
    if (item.operation != kmip::Operation::kArchive &&
        item.operation != kmip::Operation::kRecover) {
      return false;
    }
    const auto members = item.payload.Members();
    return members && members->At(Tag::kUniqueIdentifier) &&
           members->type() == ttlv::Type::kTextString;
  }

  // Answers each of `items` with Operation Pending. They are judged when they are done.
  Result<void> Accept(const std::vector<kmip::RequestItem>& items) {
    memory_.unrepeatable = true;
    const Result<std::vector<Bytes>> correlations =
        parts_.sessions.asynchronous.Begin(caller_, header_, items);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!correlations) {
        Record(items[i], nullptr, correlations.error());
        RefuseItem(&items[i], correlations.error());
        continue;
      }
      Record(items[i], nullptr, {});
      answered_.entries.back().detail = "accepted, to be done later";
      response_.Pend(items[i], (*correlations)[i]);
    }
    return {};
  }

  // True when the item succeeded. An Error only when the transaction itself is broken.
  Result<bool> RunItem() {
    const std::size_t start = response_.size();
    Result<kmip::RequestItem> item = message_.Next();
    if (!item) {
      Record({}, nullptr, item.error());
      RefuseItem(nullptr, item.error());
      return false;
    }
    if (WaitsByChoice(*item)) {
      // Begun once: on the writer, where the message does not start again.
      answered_.needs_writer = transaction_ == nullptr;
      if (!answered_.needs_writer) TRY(Accept({*item}));
      return true;
    }
    std::optional<OperationContext> context;
    Result<void> result;
    int conflicts = 0;
    for (bool again = false;; again = true) {
      context.emplace(parts_, caller_, use_, header_.version, item->operation, memory_, changes_);
      const Checkpoint before = Remember();
      if (transaction_ != nullptr) TRY(transaction_->Savepoint());
      result = Answer(*item, *context);
      if (context->needs_writer()) {
        answered_.needs_writer = true;
        return false;
      }
      if (transaction_ != nullptr) {
        TRY(result ? transaction_->Release() : transaction_->RollbackTo());
      }
      if (result) break;
      GoBackTo(before);
      response_.Truncate(start);
      // Another node changed what this item read: it is read again, a few times; a database that
      // shows a transaction the same for all its life needs another transaction.
      if (result.error().code == Code::kConflict && transaction_ != nullptr &&
          !memory_.unrepeatable) {
        if (++conflicts == kMostConflicts) return result.error();
        continue;
      }
      // The secure heap is full: cached keys make room, once.
      if (again || result.error().code != Code::kExhausted) break;
      parts_.cache.Shrink();
    }
    Record(*item, &*context, result);
    if (!result) RefuseItem(&*item, result.error());
    if (const ApprovalRequest* const left = result ? nullptr : context->left_request()) {
      TRY(Register(*left));
      left_requests_.push_back(*left);
    }
    return result.has_value();
  }
  Result<void> Register(const ApprovalRequest& request) {
    return parts_.sessions.approvals->Register(*transaction_, request);
  }

  // How far `memory_` was; it only grows while an item runs.
  struct Checkpoint {
    std::string placeholder;
    std::size_t answered_ids, made, changed, told;
  };
  Checkpoint Remember() const {
    return {memory_.placeholder, memory_.answered_ids.size(), memory_.made.size(),
            memory_.changed.size(), memory_.told.size()};
  }
  void GoBackTo(const Checkpoint& before) {
    memory_.placeholder = before.placeholder;
    memory_.answered_ids.resize(before.answered_ids);
    memory_.made.resize(before.made);
    memory_.changed.resize(before.changed);
    memory_.told.resize(before.told);
  }

  void RefuseItem(const kmip::RequestItem* item, const Error& error) {
    response_.Refuse(item, ResultStatus::kOperationFailed, kmip::ReasonFor(error, header_.version),
                     kmip::MessageFor(error));
  }

  Result<void> Answer(const kmip::RequestItem& item, OperationContext& context) {
    repeated_.reset();
    const kmip::OperationRow* row = kmip::FindClientOperation(item.operation);
    const OperationHandler* handler = FindOperationHandler(item.operation);
    if (row == nullptr || !row->ExistsIn(header_.version) || handler == nullptr ||
        !IsOffered(item.operation, parts_.facts.interop)) {
      return Reject(ResultReason::kOperationNotSupported, "this operation is not supported");
    }
    if (header_.batch_count > 1 && !item.unique_batch_item_id) {
      //= kmip-1.4 6.4 Unique Batch Item ID
      //# This field is REQUIRED in a Request message if Batch Count is greater than 1
      return Reject(ResultReason::kInvalidMessage, "a batch needs Unique Batch Item IDs");
    }
    if (transaction_ == nullptr && Hurries(item)) TRY(context.RequireWriter());
    const bool drafted = changes_.drafted && handler->makes;
    // A draft is thrown away where it does not hold: what is not made on paper is not begun.
    if (!drafted && (handler->changes || changes_.drafted)) TRY(context.RequireWriter());
    if (!use_.TakeOperation()) {
      return Reject(ResultReason::kUsageLimitExceeded, "the ticket's Usage Limits are used up");
    }
    if (item.operation == kmip::Operation::kPoll) {
      TRY(AnswerPoll(item, context));
    } else if (item.identity && RequestMemory::Remembers(item.operation)) {
      TRY(AnswerOnce(item, *handler, context));
    } else {
      TRY(AnswerByHandler(item, *handler, context));
    }
    const bool decided = context.decided() || repeated_;
    if (!decided) return Error(Code::kInternal, "an operation without a decision");
    if (response_.size() > MostBytes()) {
      return Reject(ResultReason::kResponseTooLarge, "larger than Maximum Response Size");
    }
    response_.CountItem();
    return {};
  }

  // A change that the client can name: done once, however often it is asked for.
  Result<void> AnswerOnce(const kmip::RequestItem& item, const OperationHandler& handler,
                          OperationContext& context) {
    const RequestMemory memory(parts_.vault, parts_.clock);
    const RequestMemory::Request request = TRY(memory.Recognise(caller_, header_, item, memory_));
    if (const auto answered = TRY(memory.Find(*transaction_, request))) {
      Repeat(item, *answered, context);
      return {};
    }
    const Checkpoint before = Remember();
    const std::size_t members_at = TRY(AnswerByHandler(item, handler, context));
    RequestMemory::Answer answer{.time = context.now(),
                                 .object_id = context.object_id(),
                                 .payload = ToBytes(response_.From(members_at))};
    if (header_.batch_count > 1) answer.TakeFrom(memory_, before.answered_ids, before.made);
    return memory.Keep(*transaction_, request, answer);
  }

  void Repeat(const kmip::RequestItem& item, const RequestMemory::Answer& before,
              OperationContext& context) {
    ttlv::Writer& out = response_.out();
    out.Structure(Tag::kBatchItem, [&] {
      kmip::WriteResponseItemHead(
          out, {.operation = item.operation, .unique_batch_item_id = item.unique_batch_item_id});
      out.Structure(Tag::kResponsePayload, [&] { out.Raw(before.payload); });
    });
    if (header_.batch_count > 1) before.GiveTo(memory_, item.operation);
    repeated_ = before.object_id;
    context.Note("the request was repeated; nothing was done again");
  }

  // Where the members of the Response Payload begin.
  Result<std::size_t> AnswerByHandler(const kmip::RequestItem& item,
                                      const OperationHandler& handler, OperationContext& context) {
    ttlv::Writer& out = response_.out();
    const ttlv::Writer::Mark batch_item = out.Begin(Tag::kBatchItem);
    kmip::WriteResponseItemHead(
        out, {.operation = item.operation, .unique_batch_item_id = item.unique_batch_item_id});
    const ttlv::Writer::Mark body = out.Begin(Tag::kResponsePayload);
    const std::size_t members_at = response_.size();
    const bool shares_data = header_.version >= kmip::kVersion2_0 && header_.batch_count > 1;
    WipingBytes made;
    ByteView members = item.payload.value;
    if (shares_data) members = TRY(WithDataInPlace(item.payload, memory_, made));
    ttlv::Reader payload = ttlv::Reader::Members(members);
    TRY(handler.run(payload, context, out));
    if (shares_data) RememberData(item.operation, response_.From(members_at), memory_);
    if (item.ephemeral) {
      const WipingBytes rest = WithoutData(item.operation, response_.From(members_at));
      response_.Truncate(members_at);
      out.Raw(rest);
    }
    out.End(body);
    out.End(batch_item);
    return members_at;
  }

  //= kmip-2.1 6.1.38 Poll
  //# This response SHALL be identical to the response that would have been sent if the operation
  //# had completed synchronously.
  Result<void> AnswerPoll(const kmip::RequestItem& item, OperationContext& context) {
    ttlv::Reader payload = TRY(item.payload.Members());
    const kmip::PollRequest request = TRY(kmip::PollRequest::Decode(payload, header_.version));
    TRY(context.Authorise());
    AsynchronousBook& book = parts_.sessions.asynchronous;
    memory_.unrepeatable = true;
    const std::optional<WipingBytes> done = TRY(book.Fetch(request.correlation, OwnerOf(caller_)));
    ttlv::Writer& out = response_.out();
    const ttlv::Writer::Mark batch_item = out.Begin(Tag::kBatchItem);
    if (!done) {
      kmip::WriteResponseItemHead(
          out, {.operation = book.OperationOf(request.correlation, OwnerOf(caller_)),
                .unique_batch_item_id = item.unique_batch_item_id,
                .status = ResultStatus::kOperationPending,
                .asynchronous_correlation = ByteView(request.correlation)});
    } else {
      ttlv::Reader members = TRY(ttlv::Reader::Open(*done));
      while (!members.AtEnd()) {
        const ttlv::Item member = TRY(members.Next());
        // The polling message is the one to be understood, where it has several items.
        const bool id = member.tag == Tag::kUniqueBatchItemID;
        if (!id || !item.unique_batch_item_id) out.Copy(member);
        if (member.tag == Tag::kOperation && item.unique_batch_item_id) {
          out.ByteString(Tag::kUniqueBatchItemID, *item.unique_batch_item_id);
        }
      }
    }
    out.End(batch_item);
    return {};
  }

  // True for an item that wants something asynchronous to be done before it, on the writer.
  bool Hurries(const kmip::RequestItem& item) {
    const bool process = item.operation == kmip::Operation::kProcess;
    if (!process && item.operation != kmip::Operation::kPoll) return false;
    ttlv::Reader payload = ttlv::Reader::Members(item.payload.value);
    const auto request = kmip::PollRequest::Decode(payload, header_.version);  // both look alike
    const AsynchronousOwner owner = OwnerOf(caller_);
    const AsynchronousBook& book = parts_.sessions.asynchronous;
    if (!request || (!process && !book.PollHurries(request->correlation, owner))) return false;
    answered_.process.emplace_back(request->correlation.begin(), request->correlation.end());
    answered_.process_owner = owner;
    return true;
  }

  // A small request can ask for much, many times over: the server has a bound of its own.
  std::size_t MostBytes() const {
    if (!header_.maximum_response_size) return most_bytes_;
    return std::min(most_bytes_,
                    static_cast<std::size_t>(std::max(0, *header_.maximum_response_size)));
  }

  void Record(const kmip::RequestItem& item, const OperationContext* context,
              const Result<void>& result) {
    audit::Entry entry;
    entry.time = parts_.clock.Now();
    entry.principal = caller_.principal.name;
    entry.address = caller_.address;
    entry.operation =
        std::string(kmip::EnumName(Tag::kOperation, static_cast<std::uint32_t>(item.operation)));
    entry.request_id = RequestId(header_, answered_);
    if (context != nullptr) {
      entry.object_id = repeated_ ? *repeated_ : context->object_id();
      entry.rule = repeated_ ? "answered before" : context->rule();
      entry.detail = context->note();
    }
    if (result) {
      entry.outcome = audit::Outcome::kAllowed;
    } else {
      const bool denied = context != nullptr && context->denied();
      entry.outcome = denied ? audit::Outcome::kDenied : audit::Outcome::kFailed;
      entry.result_reason =
          static_cast<std::uint32_t>(kmip::ReasonFor(result.error(), header_.version));
      entry.detail = result.error().message;
      if (result.error().code == Code::kDamaged) log::Failure(result.error().message);
    }
    answered_.entries.push_back(std::move(entry));
  }

  //= kmip-2.1 11.5 Batch Error Continuation Option Enumeration
  //# If any operation in the request fails, then the server SHALL undo all the previous operations.
  // Their responses are returned, with another status (BL-M-2-21).
  void AnswerUndone() {
    response_.MarkUndone(first_item_at_);
    for (std::size_t i = 0; i + 1 < answered_.entries.size(); ++i) {
      answered_.entries[i].detail = "undone: a later item of the batch failed";
      answered_.entries[i].outcome = audit::Outcome::kFailed;
    }
  }

  EngineParts& parts_;
  const std::size_t most_bytes_;
  const Caller& caller_;
  TicketUse& use_;
  kmip::RequestMessage& message_;
  const kmip::RequestHeader& header_;
  const Changes changes_;
  store::Transaction* const transaction_;  // of `changes_`
  ResponseBuilder& response_;
  Answered& answered_;
  BatchMemory memory_;
  std::vector<ApprovalRequest> left_requests_;  // by items that need one
  // The object of the item at work, where it was answered before: nothing is done, so there is
  // nothing to decide.
  std::optional<std::string> repeated_;
  std::size_t first_item_at_ = 0;
};

}  // namespace

Result<void> AnswerItems(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                         TicketUse& use, kmip::RequestMessage& message, const Changes& changes,
                         ResponseBuilder& response, Answered& answered) {
  Batch batch(parts, limits, caller, use, message, changes, response, answered);
  Result<void> run = batch.Run();
  answered.unrepeatable = batch.unrepeatable();
  return run;
}

}  // namespace dare::engine

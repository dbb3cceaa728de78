#include "engine/batch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/object_cache.h"
#include "engine/operation_table.h"
#include "engine/versions.h"
#include "kmip/draft3.h"
#include "kmip/message.h"
#include "kmip/names.h"
#include "kmip/operation_table.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"
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

// The answer under construction: header, items, and the count that is only known at the end.
class ResponseBuilder {
 public:
  ResponseBuilder(WipingBytes& answer, const kmip::ResponseHeader& header)
      : answer_(answer), out_(answer), message_(Start(header)), count_at_(answer.size() - 8) {}

  ttlv::Writer& out() { return out_; }
  std::size_t size() const { return answer_.size(); }
  void Truncate(std::size_t size) { out_.Truncate(size); }
  // Forgets every item written so far; the first one began at `size`.
  void RestartItems(std::size_t size) {
    Truncate(size);
    count_ = 0;
  }
  void CountItem() { ++count_; }

  void Refuse(const kmip::RequestItem* item, ResultStatus status, ResultReason reason,
              const std::string& message) {
    kmip::ResponseItem head;
    if (item != nullptr) {
      head.operation = item->operation;
      head.unique_batch_item_id = item->unique_batch_item_id;
    }
    head.status = status;
    head.reason = reason;
    head.message = message;
    out_.Structure(Tag::kBatchItem, [&] { kmip::WriteResponseItemHead(out_, head); });
    CountItem();
  }

  void Finish() {
    out_.End(message_);
    PutU32(answer_.data() + count_at_, count_);
  }

 private:
  ttlv::Writer::Mark Start(const kmip::ResponseHeader& header) {
    answer_.clear();
    answer_.reserve(512);
    const ttlv::Writer::Mark mark = out_.Begin(Tag::kResponseMessage);
    kmip::WriteResponseHeader(out_, header);  // ends with Batch Count
    return mark;
  }

  WipingBytes& answer_;
  ttlv::Writer out_;
  const ttlv::Writer::Mark message_;
  const std::size_t count_at_;
  std::uint32_t count_ = 0;
};

// The walk over one message's items.
class Batch {
 public:
  Batch(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
        kmip::RequestMessage& message, store::Transaction* transaction, ResponseBuilder& response,
        Answered& answered)
      : parts_(parts),
        most_bytes_(kMostResponseBytes + limits.max_message_bytes),
        caller_(caller),
        message_(message),
        header_(message.header()),
        transaction_(transaction),
        response_(response),
        answered_(answered) {}

  Result<void> Run() {
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
      AnswerUndone();
    } else {
      answered_.changed = std::move(memory_.changed);
    }
    return {};
  }

 private:
  struct DoneItem {
    std::optional<kmip::RequestItem> item;  // nothing: it could not be read
    std::size_t entry;
  };

  // True when the item succeeded. An Error only when the transaction itself is broken.
  Result<bool> RunItem() {
    const std::size_t start = response_.size();
    if (first_item_at_ == 0) first_item_at_ = start;
    Result<kmip::RequestItem> item = message_.Next();
    if (!item) {
      Record({}, nullptr, item.error());
      RefuseItem(nullptr, item.error());
      done_.push_back({std::nullopt, answered_.entries.size() - 1});
      return false;
    }
    std::optional<OperationContext> context;
    Result<void> result;
    for (bool again = false;; again = true) {
      context.emplace(parts_, caller_.principal, header_.version, item->operation, memory_,
                      transaction_);
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
      // The secure heap is full: cached keys make room, once.
      if (again || result.error().code != Code::kExhausted) break;
      parts_.cache.Shrink();
    }
    Record(*item, &*context, result);
    if (!result) RefuseItem(&*item, result.error());
    done_.push_back({*item, answered_.entries.size() - 1});
    return result.has_value();
  }

  // How far `memory_` was; it only grows while an item runs.
  struct Checkpoint {
    std::string placeholder;
    std::size_t answered_ids, made, changed;
  };
  Checkpoint Remember() const {
    return {memory_.placeholder, memory_.answered_ids.size(), memory_.made.size(),
            memory_.changed.size()};
  }
  void GoBackTo(const Checkpoint& before) {
    memory_.placeholder = before.placeholder;
    memory_.answered_ids.resize(before.answered_ids);
    memory_.made.resize(before.made);
    memory_.changed.resize(before.changed);
  }

  void RefuseItem(const kmip::RequestItem* item, const Error& error) {
    failure_message_ = kmip::MessageFor(error);
    response_.Refuse(item, ResultStatus::kOperationFailed, kmip::ReasonFor(error, header_.version),
                     failure_message_);
  }

  Result<void> Answer(const kmip::RequestItem& item, OperationContext& context) {
    if (item.critical_extension) {
      return Reject(ResultReason::kFeatureNotSupported, "unknown critical Message Extension");
    }
    if (item.ephemeral) {
      return Reject(ResultReason::kFeatureNotSupported, "Ephemeral is not supported");
    }
    const kmip::OperationRow* row = kmip::FindClientOperation(item.operation);
    const OperationHandler* handler = FindOperationHandler(item.operation);
    if (row == nullptr || !row->ExistsIn(header_.version) || handler == nullptr) {
      return Reject(ResultReason::kOperationNotSupported, "this operation is not supported");
    }
    if (header_.batch_count > 1 && !item.unique_batch_item_id) {
      //= kmip-1.4 6.4 Unique Batch Item ID
      //# This field is REQUIRED in a Request message if Batch Count is greater than 1
      return Reject(ResultReason::kInvalidMessage, "a batch needs Unique Batch Item IDs");
    }
    if (handler->changes) TRY(context.RequireWriter());
    ttlv::Writer& out = response_.out();
    const ttlv::Writer::Mark batch_item = out.Begin(Tag::kBatchItem);
    kmip::WriteResponseItemHead(
        out, {.operation = item.operation, .unique_batch_item_id = item.unique_batch_item_id});
    const ttlv::Writer::Mark body = out.Begin(Tag::kResponsePayload);
    ttlv::Reader payload = TRY(item.payload.Members());
    TRY(handler->run(payload, context, out));
    if (!context.decided()) return Error(Code::kInternal, "an operation without a decision");
    out.End(body);
    out.End(batch_item);
    if (response_.size() > MostBytes()) {
      return Reject(ResultReason::kResponseTooLarge, "larger than Maximum Response Size");
    }
    response_.CountItem();
    return {};
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
    entry.request_id = header_.client_correlation;
    if (context != nullptr) {
      entry.object_id = context->object_id();
      entry.rule = context->rule();
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

  // kmip-1.4 7.2: with Undo, what came before the failed item is rolled back and answered Operation
  // Undone.
  void AnswerUndone() {
    if (done_.size() < 2) return;
    const DoneItem failed = done_.back();
    done_.pop_back();
    response_.RestartItems(first_item_at_);
    for (const DoneItem& done : done_) {
      response_.Refuse(done.item ? &*done.item : nullptr, ResultStatus::kOperationUndone,
                       ResultReason::kGeneralFailure, "undone because a later item failed");
      answered_.entries[done.entry].detail = "undone: a later item of the batch failed";
      answered_.entries[done.entry].outcome = audit::Outcome::kFailed;
    }
    const audit::Entry& entry = answered_.entries[failed.entry];
    response_.Refuse(failed.item ? &*failed.item : nullptr, ResultStatus::kOperationFailed,
                     static_cast<ResultReason>(entry.result_reason), failure_message_);
  }

  EngineParts& parts_;
  const std::size_t most_bytes_;
  const Caller& caller_;
  kmip::RequestMessage& message_;
  const kmip::RequestHeader& header_;
  store::Transaction* const transaction_;
  ResponseBuilder& response_;
  Answered& answered_;
  BatchMemory memory_;
  std::vector<DoneItem> done_;
  std::size_t first_item_at_ = 0;
  std::string failure_message_;  // of the item that failed last, as its client reads it
};

// What is wrong with the message as a whole.
Result<void> CheckHeader(const kmip::RequestMessage& message) {
  const kmip::RequestHeader& header = message.header();
  if (!IsSupported(header.version)) {
    return Reject(ResultReason::kInvalidMessage, "this protocol version is not supported");
  }
  //= kmip-1.4 6.14 Batch Count
  //# it SHALL be equal to the number of batch items in the message
  if (header.batch_count != message.CountItems() || header.batch_count < 1) {
    return Reject(ResultReason::kInvalidMessage, "Batch Count is not the number of batch items");
  }
  if (header.authentication) {
    return Reject(ResultReason::kAuthenticationNotSuccessful,
                  "this server knows clients by their certificate only");
  }
  if (header.asynchronous_mandatory && header.version.major >= 2) {
    return Reject(ResultReason::kFeatureNotSupported, "asynchronous operation is not supported");
  }
  return {};
}

//= kmip-2.1 9.9 Client Correlation Value
//# For client to server operations, the Client Correlation Value is provided in the request.
// It goes into the audit log; published answers do not repeat it.
kmip::ResponseHeader HeaderFor(const Clock& clock, kmip::ProtocolVersion version) {
  kmip::ResponseHeader header;
  header.version = ClosestSupported(version);
  header.time_stamp = clock.Now();
  return header;
}

void Refuse(const Clock& clock, kmip::ProtocolVersion version, const Error& error,
            WipingBytes& answer) {
  ResponseBuilder response(answer, HeaderFor(clock, version));
  response.Refuse(nullptr, ResultStatus::kOperationFailed,
                  kmip::ReasonFor(error, ClosestSupported(version)), kmip::MessageFor(error));
  response.Finish();
}

audit::Entry RefusedEntry(const EngineParts& parts, const Caller& caller, const Error& error) {
  audit::Entry entry;
  entry.time = parts.clock.Now();
  entry.principal = caller.principal.name;
  entry.address = caller.address;
  entry.operation = "message";
  entry.outcome = audit::Outcome::kFailed;
  entry.detail = error.message;
  return entry;
}

// The draft is spoken at the edge: nothing below knows it.
Answered AnswerDraft3(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                      ByteView request, store::Transaction* transaction, WipingBytes& answer) {
  kmip::Draft3Exchange exchange;
  const Result<WipingBytes> rewritten = exchange.TakeRequest(request);
  Answered answered;
  if (rewritten) {
    answered = AnswerMessage(parts, limits, caller, *rewritten, transaction, answer);
    if (answered.needs_writer) return answered;
  } else {
    answered.entries.push_back(RefusedEntry(parts, caller, rewritten.error()));
    Refuse(parts.clock, kNewestVersion, rewritten.error(), answer);
  }
  answer = exchange.GiveAnswer(answer);
  return answered;
}

}  // namespace

Answered AnswerMessage(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                       ByteView request, store::Transaction* transaction, WipingBytes& answer) {
  if (parts.facts.newest_version >= kmip::kVersion3_0 && kmip::Draft3Exchange::Speaks(request)) {
    return AnswerDraft3(parts, limits, caller, request, transaction, answer);
  }
  Answered answered;
  const auto refuse = [&](kmip::ProtocolVersion version, const Error& error) {
    answered.entries.push_back(RefusedEntry(parts, caller, error));
    Refuse(parts.clock, version, error, answer);
  };
  if (Result<void> valid = ttlv::Validate(request, limits); !valid) {
    refuse(kmip::PeekVersion(request).value_or(kNewestVersion), valid.error());
    return answered;
  }
  Result<kmip::RequestMessage> message = kmip::RequestMessage::Open(request);
  if (!message) {
    refuse(kmip::PeekVersion(request).value_or(kNewestVersion), message.error());
    return answered;
  }
  const kmip::RequestHeader& header = message->header();
  if (Result<void> fit = CheckHeader(*message); !fit) {
    refuse(header.version, fit.error());
    return answered;
  }
  ResponseBuilder response(answer, HeaderFor(parts.clock, header.version));
  Result<void> run = Batch(parts, limits, caller, *message, transaction, response, answered).Run();
  if (!run) {
    answered.entries.clear();
    refuse(header.version, run.error());
    return answered;
  }
  response.Finish();
  return answered;
}

audit::Entry RefuseUnreadable(const EngineParts& parts, const Caller& caller, const Error& error,
                              WipingBytes& answer) {
  Refuse(parts.clock, kNewestVersion, error, answer);
  return RefusedEntry(parts, caller, error);
}

void RefuseMessage(const Clock& clock, ByteView request, ResultReason reason,
                   const std::string& message, WipingBytes& answer) {
  Refuse(clock, kmip::PeekVersion(request).value_or(kNewestVersion), Reject(reason, message),
         answer);
}

}  // namespace dare::engine

#include "engine/message_answer.h"

#include <optional>
#include <utility>

#include "engine/message_check.h"
#include "engine/message_refusal.h"
#include "engine/operation_table.h"
#include "engine/response_builder.h"
#include "engine/server_correlation.h"
#include "engine/sessions.h"
#include "engine/versions.h"
#include "kmip/draft3.h"
#include "kmip/message.h"
#include "kmip/operation_table.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

// The draft is spoken at the edge: nothing below knows it.
Answered AnswerDraft3(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                      ByteView request, store::Transaction* transaction, WipingBytes& answer,
                      Admission* admission, const PreparedWork* prepared) {
  kmip::Draft3Exchange exchange;
  const Result<WipingBytes> rewritten = exchange.TakeRequest(request);
  Answered answered;
  if (rewritten) {
    answered =
        AnswerMessage(parts, limits, caller, *rewritten, transaction, answer, admission, prepared);
    if (answered.needs_writer || answered.needs_admission) return answered;
  } else {
    answered.entries.push_back(RefusedEntry(parts, caller, rewritten.error()));
    RefuseWhole(parts.clock, kNewestVersion, rewritten.error(), answer);
  }
  answer = exchange.GiveAnswer(answer);
  return answered;
}

// Answers a message that is well-formed, as `caller`, who is served.
void AnswerAs(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller, TicketUse& use,
              kmip::RequestMessage& message, const Changes& changes, WipingBytes& answer,
              const Bytes& server_hashed_password, Answered& answered) {
  const kmip::RequestHeader& header = message.header();
  answered.server_correlation = NewServerCorrelation();
  // Only for clients that correlate: PyKMIP cannot read a header that has the field.
  kmip::ResponseHeader response_header =
      HeaderFor(parts.clock, header.version,
                header.client_correlation.empty() ? "" : answered.server_correlation);
  response_header.server_hashed_password = server_hashed_password;
  ResponseBuilder response(answer, response_header);
  const Result<void> run =
      AnswerItems(parts, limits, caller, use, message, changes, response, answered);
  if (!run) {
    answered.begin_again = changes.transaction != nullptr && run.error().code == Code::kConflict;
    answered.entries.clear();
    answered.entries.push_back(RefusedEntry(parts, caller, run.error()));
    RefuseWhole(parts.clock, header.version, run.error(), answer);
    return;
  }
  if (answered.needs_writer) return use.GiveBack();
  response.Finish();
}

void TurnAway(const EngineParts& parts, const Caller& caller, kmip::ProtocolVersion version,
              const Doorkeeper::Refusal& refusal, WipingBytes& answer, Answered& answered) {
  audit::Entry entry = RefusedEntry(parts, caller, refusal.error);
  entry.outcome = audit::Outcome::kDenied;
  entry.rule = refusal.rule;
  answered.entries.clear();
  answered.entries.push_back(std::move(entry));
  answer.clear();
  RefuseWhole(parts.clock, version, refusal.error, answer);
}

// The same, unless the doorkeeper turns the caller away. It is asked again where nothing was
// changed: who was locked out while his message was at work gets no answer.
void AnswerIfServed(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                    TicketUse& use, kmip::RequestMessage& message, const Changes& changes,
                    WipingBytes& answer, const Bytes& server_hashed_password, Answered& answered) {
  auto refusal = AskDoorkeeper(parts, caller);
  if (!refusal) {
    AnswerAs(parts, limits, caller, use, message, changes, answer, server_hashed_password,
             answered);
    if (changes.transaction != nullptr || answered.needs_writer) return;
    refusal = AskDoorkeeper(parts, caller);
  }
  if (refusal) TurnAway(parts, caller, message.header().version, *refusal, answer, answered);
}

}  // namespace

Answered AnswerMessage(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                       ByteView request, store::Transaction* transaction, WipingBytes& answer,
                       Admission* admission, const PreparedWork* prepared) {
  if (parts.facts.newest_version >= kmip::kVersion3_0 && kmip::Draft3Exchange::Speaks(request)) {
    return AnswerDraft3(parts, limits, caller, request, transaction, answer, admission, prepared);
  }
  Answered answered;
  const auto refuse = [&](kmip::ProtocolVersion version, const Error& error) {
    answered.entries.push_back(RefusedEntry(parts, caller, error));
    RefuseWhole(parts.clock, version, error, answer);
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
  if (Result<void> fit = CheckMessage(*message, parts.facts, parts.clock); !fit) {
    refuse(header.version, fit.error());
    return answered;
  }
  if (!header.authentication) {
    TicketUse use(caller.ticket);  // of an asynchronous request that was shown one
    const Changes changes{.transaction = transaction, .prepared = prepared};
    AnswerIfServed(parts, limits, caller, use, *message, changes, answer, {}, answered);
    answered.used = std::move(use);
    return answered;
  }
  if (const auto refusal = AskDoorkeeper(parts, caller)) {
    TurnAway(parts, caller, header.version, *refusal, answer, answered);
    return answered;
  }
  Admission here;
  if (admission == nullptr) {
    answered.needs_admission = transaction == nullptr;
    if (answered.needs_admission) return answered;
    here = parts.sessions.authenticator.Admit(caller, *header.authentication, header.version);
    admission = &here;
  }
  if (admission->refusal) {
    refuse(header.version, *admission->refusal);
    answered.entries.back().outcome = audit::Outcome::kDenied;
    answered.entries.back().rule = "credentials";
    return answered;
  }
  AnswerIfServed(parts, limits, admission->caller, admission->use, *message,
                 {.transaction = transaction, .prepared = prepared}, answer,
                 admission->server_hashed_password, answered);
  if (admission == &here) answered.used = std::move(here.use);
  return answered;
}

std::optional<Answered> DraftMessage(EngineParts& parts, const ttlv::Limits& limits,
                                     const Caller& caller, ByteView request,
                                     store::Transaction& paper, WipingBytes& answer,
                                     PreparedWork* preparing) {
  if (!ttlv::Validate(request, limits)) return std::nullopt;
  Result<kmip::RequestMessage> message = kmip::RequestMessage::Open(request);
  if (!message) return std::nullopt;
  const kmip::RequestHeader& header = message->header();
  // A batch may change what it made a moment before; credentials are judged once.
  const bool alone = header.batch_count == 1 && message->LookAtItems().items == 1;
  if (!alone || header.authentication || header.version >= kmip::kVersion3_0 ||
      header.asynchrony != kmip::Asynchrony::kProhibited || caller.ticket != nullptr ||
      !CheckMessage(*message, parts.facts, parts.clock)) {
    return std::nullopt;
  }
  if (AskDoorkeeper(parts, caller)) return std::nullopt;
  Answered answered;
  TicketUse none;
  const Changes changes{.transaction = &paper, .drafted = true, .preparing = preparing};
  AnswerAs(parts, limits, caller, none, *message, changes, answer, {}, answered);
  const bool done = !answered.needs_writer && answered.entries.size() == 1 &&
                    answered.entries.front().outcome == audit::Outcome::kAllowed;
  if (!done) return std::nullopt;
  return answered;
}

namespace {

bool StretchesPassword(const kmip::RequestItem& item) {
  auto members = item.payload.Members();
  if (!members) return false;
  while (!members->AtEnd()) {
    const auto member = members->Next();
    if (!member) return false;
    if (member->tag != kmip::Tag::kDerivationMethod) continue;
    const auto method = member->AsEnumeration();
    return method && *method == static_cast<std::uint32_t>(kmip::DerivationMethod::kPBKDF2);
  }
  return false;
}

bool TakesTime(const kmip::RequestItem& item) {
  switch (item.operation) {
    case kmip::Operation::kCreateKeyPair:
    case kmip::Operation::kReKeyKeyPair:
      return true;
    case kmip::Operation::kDeriveKey:
      return StretchesPassword(item);
    default:
      return false;
  }
}

}  // namespace

bool TakesTime(ByteView request) {
  auto message = kmip::RequestMessage::Open(request);
  while (message && !message->AtEnd()) {
    const auto item = message->Next();
    if (!item) return false;
    if (TakesTime(*item)) return true;
  }
  return false;
}

void RehearseMessage(EngineParts& parts, const ttlv::Limits& limits, const Caller& caller,
                     ByteView request, PreparedWork& work) {
  if (!ttlv::Validate(request, limits)) return;
  auto message = kmip::RequestMessage::Open(request);
  if (!message || !CheckMessage(*message, parts.facts, parts.clock)) return;
  const kmip::ProtocolVersion version = message->header().version;
  // Who is not served, or puts it off, makes nobody work now.
  if (version >= kmip::kVersion3_0 || AskDoorkeeper(parts, caller) ||
      message->header().asynchrony == kmip::Asynchrony::kMandatory) {
    return;
  }
  TicketUse use(caller.ticket);
  while (!message->AtEnd()) {
    const auto item = message->Next();
    if (!item) break;
    const kmip::OperationRow* const row = kmip::FindClientOperation(item->operation);
    const OperationHandler* const handler = FindOperationHandler(item->operation);
    if (!TakesTime(*item) || row == nullptr || !row->ExistsIn(version) || handler == nullptr) {
      continue;
    }
    BatchMemory memory;
    OperationContext context(parts, caller, use, version, item->operation, memory,
                             {.preparing = &work});
    ttlv::Reader payload = ttlv::Reader::Members(item->payload.value);
    ttlv::Writer nowhere;
    // What it cannot find out alone (an object that an item before it makes) stays undone.
    (void)handler->run(payload, context, nowhere);
  }
  use.GiveBack();
}

}  // namespace dare::engine

#include "client/kms_client.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/uuid.h"
#include "client/result_reason.h"
#include "kmip/message.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/request_identity.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"

namespace dare::client {
namespace {

using kmip::Operation;
using kmip::Tag;

constexpr ttlv::Limits kLimits;

enum class Kind : std::uint8_t {
  kReads,    // asking twice is as good as asking once
  kChanges,  // done once however often it is asked for, where the server remembers its identity
  kOther,    // repeated only when it surely was not sent
};

Kind KindOf(Operation operation) {
  switch (operation) {
    case Operation::kLocate:
    case Operation::kCheck:
    case Operation::kGet:
    case Operation::kGetAttributes:
    case Operation::kGetAttributeList:
    case Operation::kQuery:
    case Operation::kDiscoverVersions:
    case Operation::kEncrypt:
    case Operation::kDecrypt:
    case Operation::kMAC:
    case Operation::kRNGRetrieve:
      return Kind::kReads;
    case Operation::kCreate:
    case Operation::kCreateKeyPair:
    case Operation::kRegister:
    case Operation::kReKey:
    case Operation::kReKeyKeyPair:
    case Operation::kActivate:
    case Operation::kRevoke:
    case Operation::kDestroy:
    case Operation::kAddAttribute:
    case Operation::kModifyAttribute:
    case Operation::kSetAttribute:
    case Operation::kDeleteAttribute:
      return Kind::kChanges;
    default:
      return Kind::kOther;
  }
}

// A server that could not do what it should: its HSM, its store, its disk.
bool ServerFailed(ByteView answer) {
  auto message = kmip::ResponseMessage::Open(answer);
  if (!message) return false;
  const auto item = message->Next();
  return item && item->status == kmip::ResultStatus::kOperationFailed && item->reason &&
         CodeOf(*item->reason) == Code::kUnavailable;
}

Error Malformed(std::string_view what) {
  return Error(Code::kMalformed, "the key server's answer " + std::string(what));
}

// Whether fewer requests in a message may be answered: not where the server says who may do what,
// or that it failed.
bool FewerMayHelp(const Error& error) {
  return error.code == Code::kTooLarge || error.code == Code::kRejected ||
         error.code == Code::kUnsupported;
}

Bytes BatchItemId(std::size_t number) {
  Bytes id(4);
  PutU32(id.data(), static_cast<std::uint32_t>(number));
  return id;
}

// Of `count` items; nothing when the answer's id is none of ours.
std::optional<std::size_t> NumberOf(const kmip::ResponseItem& item, std::size_t count) {
  if (count == 1) return 0;
  if (!item.unique_batch_item_id || item.unique_batch_item_id->size() != 4) return std::nullopt;
  const std::size_t number = GetU32(item.unique_batch_item_id->data());
  return number < count ? std::optional(number) : std::nullopt;
}

// The refusal of a server that knows no request identities, as the standard has it (1.x, 2.x).
bool KnowsNoIdentity(const Error& error) {
  using kmip::ResultReason;
  return error.detail == static_cast<std::uint64_t>(ResultReason::kUnknownMessageExtension) ||
         error.detail == static_cast<std::uint64_t>(ResultReason::kFeatureNotSupported);
}

}  // namespace

Result<std::unique_ptr<KmsClient>> KmsClient::Create(const Config& config,
                                                     const std::atomic<bool>* cancelled,
                                                     const Clock& clock) {
  std::shared_ptr<TlsContext> tls = TRY(TlsContext::Create(config));
  Pool::Options options;
  options.limits = kLimits;
  options.cancelled = cancelled;
  options.failed = &ServerFailed;
  options.clock = &clock;
  const kmip::DiscoverVersionsRequest probe;
  const void* const only[] = {&probe};
  options.probe = Encode(config.kmip_version, Operation::kDiscoverVersions,
                         &WritePayload<kmip::DiscoverVersionsRequest>, only);
  auto pool = std::make_shared<Pool>(config, std::move(tls), std::move(options));
  return std::unique_ptr<KmsClient>(new KmsClient(std::move(pool)));
}

KmsClient KmsClient::Within(const Deadline& limit) const {
  KmsClient within(*this);
  within.limit_ = limit;
  return within;
}

Deadline KmsClient::NewDeadline() const {
  return limit_ ? limit_->Within(config().request_timeout) : pool_->NewDeadline();
}

WipingBytes KmsClient::Encode(kmip::ProtocolVersion version, Operation operation,
                              PayloadWriter write, std::span<const void* const> requests,
                              std::string_view identity, bool critical) {
  const bool batch = requests.size() > 1;
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = version;
    header.maximum_response_size = static_cast<std::int32_t>(kLimits.max_message_bytes);
    header.batch_count = static_cast<std::int32_t>(requests.size());
    // Each request of a batch stands for itself.
    if (batch) header.on_error = kmip::BatchErrorContinuationOption::kContinue;
    header.on_error_given = batch;
    kmip::WriteRequestHeader(out, header);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      out.Structure(Tag::kBatchItem, [&] {
        out.Enum(Tag::kOperation, operation);
        if (batch) out.ByteString(Tag::kUniqueBatchItemID, BatchItemId(i));
        out.Structure(Tag::kRequestPayload, [&] { write(out, version, requests[i]); });
        if (!identity.empty()) kmip::WriteRequestIdentity(out, AsBytes(identity), critical);
      });
    }
  });
  return out.Take();
}

Result<ttlv::Item> KmsClient::ReadItem(Operation operation, kmip::ProtocolVersion answered_in,
                                       const kmip::ResponseItem& item) const {
  if (item.status == kmip::ResultStatus::kOperationFailed) {
    return ErrorOf(operation, item.reason, item.message);
  }
  if (item.status != kmip::ResultStatus::kSuccess) {
    return Error(Code::kUnsupported, "the key server wants to answer later");
  }
  if (answered_in != version()) return Malformed("is of another version");
  if (item.operation != operation) return Malformed("is to another operation");
  if (!item.payload) return Malformed("has no payload");
  return *item.payload;
}

Result<KmsClient::Answer> KmsClient::ReadAnswer(Operation operation, WipingBytes bytes) const {
  if (Result<void> valid = ttlv::Validate(bytes, pool_->limits()); !valid) {
    return valid.error().In("the key server's answer");
  }
  kmip::ResponseMessage message = TRY(kmip::ResponseMessage::Open(bytes));
  if (message.header().batch_count != 1) return Malformed("is not to one request");
  const kmip::ResponseItem item = TRY(message.Next());
  if (!message.AtEnd()) return Malformed("has more items than it says");
  const ttlv::Item payload = TRY(ReadItem(operation, message.header().version, item));
  return Answer{std::move(bytes), payload};
}

Result<KmsClient::Answer> KmsClient::Ask(Operation operation, PayloadWriter write,
                                         const void* request) {
  const Kind kind = KindOf(operation);
  const void* const only[] = {request};
  if (kind != Kind::kChanges) {
    const WipingBytes message = Encode(version(), operation, write, only);
    const Question question{.message = message,
                            .again = kind == Kind::kReads ? ByteView(message) : ByteView(),
                            .changes = kind == Kind::kOther};
    return ReadAnswer(operation, TRY(pool_->Exchange(question, NewDeadline())).answer);
  }
  const std::string identity = TRY(NewUuid());
  // Any server may do it the first time. When that may have happened, only one that recognises it.
  const WipingBytes first = Encode(version(), operation, write, only, identity, false);
  const WipingBytes again = Encode(version(), operation, write, only, identity, true);
  const Question question{.message = first, .again = again, .changes = true};
  Reply reply = TRY(pool_->Exchange(question, NewDeadline()));
  Result<Answer> answer = ReadAnswer(operation, std::move(reply.answer));
  if (!answer && reply.repeated && KnowsNoIdentity(answer.error())) {
    return Error(
        Code::kUnavailable,
        "the answer was lost, and the key server cannot tell a repeated request; it is not "
        "known whether the operation was carried out");
  }
  return answer;
}

Error KmsClient::Unanswered() { return Malformed("leaves a request out"); }

void KmsClient::AskMany(const ManyRequests& many) {
  CHECK(KindOf(many.operation) == Kind::kReads);
  std::vector<std::size_t> numbers(many.requests.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  for (std::span<const std::size_t> rest = numbers; !rest.empty();) {
    const std::span<const std::size_t> some = rest.first(std::min(rest.size(), kMostBatchItems));
    AskSome(many, some);
    rest = rest.subspan(some.size());
  }
}

void KmsClient::AskSome(const ManyRequests& many, std::span<const std::size_t> which) {
  Result<std::vector<std::size_t>> asked = AskAtOnce(many, which);
  const bool halve = !asked && which.size() > 1 && FewerMayHelp(asked.error());
  if (!asked && !halve) {
    for (const std::size_t index : which) many.read(index, asked.error());
    return;
  }
  const std::span<const std::size_t> again = halve ? which : std::span<const std::size_t>(*asked);
  if (again.empty()) return;
  const std::size_t half = (again.size() + 1) / 2;
  AskSome(many, again.first(half));
  if (half < again.size()) AskSome(many, again.subspan(half));
}

Result<std::vector<std::size_t>> KmsClient::AskAtOnce(const ManyRequests& many,
                                                      std::span<const std::size_t> which) {
  std::vector<const void*> requests;
  for (const std::size_t index : which) requests.push_back(many.requests[index]);
  const WipingBytes message = Encode(version(), many.operation, many.write, requests);
  const Question question{.message = message, .again = message};
  const WipingBytes bytes = TRY(pool_->Exchange(question, NewDeadline())).answer;
  if (Result<void> valid = ttlv::Validate(bytes, pool_->limits()); !valid) {
    return valid.error().In("the key server's answer");
  }
  kmip::ResponseMessage answer = TRY(kmip::ResponseMessage::Open(bytes));
  std::vector<std::size_t> no_room;
  std::vector<bool> answered(which.size(), false);
  while (!answer.AtEnd()) {
    const kmip::ResponseItem item = TRY(answer.Next());
    const Result<ttlv::Item> payload = ReadItem(many.operation, answer.header().version, item);
    const std::optional<std::size_t> number = NumberOf(item, which.size());
    // One without our number speaks of the message as a whole.
    if (!number && !payload) return payload.error();
    if (!number || answered[*number]) return Malformed("has an item that nobody asked for");
    answered[*number] = true;
    if (!payload && payload.error().code == Code::kTooLarge && which.size() > 1) {
      no_room.push_back(which[*number]);
    } else {
      many.read(which[*number], payload);
    }
  }
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (!answered[i]) many.read(which[i], Unanswered());
  }
  return no_room;
}

Result<PingReport> KmsClient::Ping(const Endpoint& endpoint) {
  using SteadyClock = std::chrono::steady_clock;
  const auto microseconds = [](SteadyClock::duration d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d);
  };
  PingReport report;
  report.endpoint = endpoint;
  const auto start = SteadyClock::now();
  const std::unique_ptr<Connection> connection = TRY(pool_->Connect(endpoint));
  report.connect = microseconds(SteadyClock::now() - start);

  const kmip::DiscoverVersionsRequest request;
  const void* const only[] = {&request};
  const WipingBytes message = Encode(version(), Operation::kDiscoverVersions,
                                     &WritePayload<kmip::DiscoverVersionsRequest>, only);
  // The first exchange on a connection also tells whether we are accepted; the second is measured.
  const Deadline deadline = pool_->NewDeadline();
  TRY(connection->Exchange(message, pool_->limits(), deadline));
  const auto asked = SteadyClock::now();
  WipingBytes bytes = TRY(connection->Exchange(message, pool_->limits(), deadline));
  report.round_trip = microseconds(SteadyClock::now() - asked);

  const Answer answer = TRY(ReadAnswer(Operation::kDiscoverVersions, std::move(bytes)));
  ttlv::Reader payload = TRY(answer.payload.Members());
  report.versions = TRY(kmip::DiscoverVersionsResponse::Decode(payload, version())).versions;
  report.tls_version = connection->TlsVersion();
  report.cipher_suite = connection->CipherSuite();
  report.server_subject = connection->ServerSubject();
  return report;
}

}  // namespace dare::client

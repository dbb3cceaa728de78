#include "client/kms_client.h"

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
  options.probe = Encode(config.kmip_version, Operation::kDiscoverVersions,
                         &WritePayload<kmip::DiscoverVersionsRequest>, &probe);
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
                              PayloadWriter write, const void* request, std::string_view identity,
                              bool critical) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = version;
    header.maximum_response_size = static_cast<std::int32_t>(kLimits.max_message_bytes);
    header.batch_count = 1;
    kmip::WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, operation);
      out.Structure(Tag::kRequestPayload, [&] { write(out, version, request); });
      if (!identity.empty()) kmip::WriteRequestIdentity(out, AsBytes(identity), critical);
    });
  });
  return out.Take();
}

Result<KmsClient::Answer> KmsClient::ReadAnswer(Operation operation, WipingBytes bytes) const {
  const auto malformed = [](std::string_view what) {
    return Error(Code::kMalformed, "the key server's answer " + std::string(what));
  };
  if (Result<void> valid = ttlv::Validate(bytes, pool_->limits()); !valid) {
    return valid.error().In("the key server's answer");
  }
  kmip::ResponseMessage message = TRY(kmip::ResponseMessage::Open(bytes));
  if (message.header().batch_count != 1) return malformed("is not to one request");
  const kmip::ResponseItem item = TRY(message.Next());
  if (!message.AtEnd()) return malformed("has more items than it says");
  if (item.status == kmip::ResultStatus::kOperationFailed) {
    return ErrorOf(operation, item.reason, item.message);
  }
  if (item.status != kmip::ResultStatus::kSuccess) {
    return Error(Code::kUnsupported, "the key server wants to answer later");
  }
  if (message.header().version != version()) return malformed("is of another version");
  if (item.operation != operation) return malformed("is to another operation");
  if (!item.payload) return malformed("has no payload");
  return Answer{std::move(bytes), *item.payload};
}

Result<KmsClient::Answer> KmsClient::Ask(Operation operation, PayloadWriter write,
                                         const void* request) {
  const Kind kind = KindOf(operation);
  if (kind != Kind::kChanges) {
    const WipingBytes message = Encode(version(), operation, write, request);
    const Question question{.message = message,
                            .again = kind == Kind::kReads ? ByteView(message) : ByteView(),
                            .changes = kind == Kind::kOther};
    return ReadAnswer(operation, TRY(pool_->Exchange(question, NewDeadline())).answer);
  }
  const std::string identity = TRY(NewUuid());
  // Any server may do it the first time. When that may have happened, only one that recognises it.
  const WipingBytes first = Encode(version(), operation, write, request, identity, false);
  const WipingBytes again = Encode(version(), operation, write, request, identity, true);
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
  const WipingBytes message = Encode(version(), Operation::kDiscoverVersions,
                                     &WritePayload<kmip::DiscoverVersionsRequest>, &request);
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

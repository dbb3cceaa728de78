#include "client/kms_client.h"

#include "client/result_reason.h"
#include "kmip/message.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"

namespace dare::client {
namespace {

using kmip::Operation;
using kmip::Tag;

// Asking twice changes nothing, and the second answer is as good as the first.
Repeatable IsRepeatable(Operation operation) {
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
      return Repeatable::kYes;
    default:
      return Repeatable::kNo;
  }
}

}  // namespace

KmsClient::KmsClient(const Config& config, std::shared_ptr<TlsContext> tls, Pool::Options options)
    : config_(config), pool_(config, std::move(tls), options) {}

Result<std::unique_ptr<KmsClient>> KmsClient::Create(const Config& config,
                                                     const std::atomic<bool>* cancelled) {
  std::shared_ptr<TlsContext> tls = TRY(TlsContext::Create(config));
  Pool::Options options;
  options.cancelled = cancelled;
  return std::unique_ptr<KmsClient>(new KmsClient(config, std::move(tls), options));
}

WipingBytes KmsClient::Encode(Operation operation, PayloadWriter write, const void* request) const {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = config_.kmip_version;
    header.maximum_response_size = static_cast<std::int32_t>(pool_.limits().max_message_bytes);
    header.batch_count = 1;
    kmip::WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, operation);
      out.Structure(Tag::kRequestPayload, [&] { write(out, config_.kmip_version, request); });
    });
  });
  return out.Take();
}

Result<KmsClient::Answer> KmsClient::ReadAnswer(Operation operation, WipingBytes bytes) const {
  const auto malformed = [](std::string_view what) {
    return Error(Code::kMalformed, "the key server's answer " + std::string(what));
  };
  if (Result<void> valid = ttlv::Validate(bytes, pool_.limits()); !valid) {
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
  if (message.header().version != config_.kmip_version) return malformed("is of another version");
  if (item.operation != operation) return malformed("is to another operation");
  if (!item.payload) return malformed("has no payload");
  return Answer{std::move(bytes), *item.payload};
}

Result<KmsClient::Answer> KmsClient::Ask(Operation operation, PayloadWriter write,
                                         const void* request) {
  const WipingBytes message = Encode(operation, write, request);
  WipingBytes answer = TRY(pool_.Exchange(message, IsRepeatable(operation)));
  return ReadAnswer(operation, std::move(answer));
}

Result<PingReport> KmsClient::Ping(const Endpoint& endpoint) {
  using SteadyClock = std::chrono::steady_clock;
  const auto microseconds = [](SteadyClock::duration d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d);
  };
  PingReport report;
  report.endpoint = endpoint;
  const auto start = SteadyClock::now();
  const std::unique_ptr<Connection> connection = TRY(pool_.Connect(endpoint));
  report.connect = microseconds(SteadyClock::now() - start);

  const kmip::DiscoverVersionsRequest request;
  const WipingBytes message =
      Encode(Operation::kDiscoverVersions, &WritePayload<kmip::DiscoverVersionsRequest>, &request);
  // The first exchange on a connection also tells whether we are accepted; the second is measured.
  const Deadline deadline = pool_.NewDeadline();
  TRY(connection->Exchange(message, pool_.limits(), deadline));
  const auto asked = SteadyClock::now();
  WipingBytes bytes = TRY(connection->Exchange(message, pool_.limits(), deadline));
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

#include "client/server_request.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "kmip/message.h"
#include "kmip/operation_table.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/payloads/notify.h"
#include "kmip/payloads/put.h"
#include "kmip/payloads/query.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"

namespace dare::client {
namespace {

using kmip::Operation;
using kmip::ProtocolVersion;
using kmip::QueryFunction;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

// Best first. Servers ask since 2.0 on a connection that the client opened (Set Endpoint Role).
constexpr ProtocolVersion kVersions[] = {kmip::kVersion2_1, kmip::kVersion2_0};
constexpr std::int32_t kMostItems = 256;

bool Speaks(ProtocolVersion version) {
  return std::ranges::find(kVersions, version) != std::end(kVersions);
}

bool Serves(Operation operation, ProtocolVersion version, const Ear& ear) {
  const auto rows = kmip::ServerOperations();
  const auto row = std::ranges::find(rows, operation, &kmip::OperationRow::operation);
  if (row == rows.end() || !row->ExistsIn(version)) return false;
  switch (operation) {
    case Operation::kNotify:
    case Operation::kDiscoverVersions:
    case Operation::kQuery:
      return true;
    case Operation::kPut:
      return ear.takes_objects();
    default:
      return false;
  }
}

void Tell(QueryFunction function, ProtocolVersion version, const Ear& ear,
          kmip::QueryResponse& response) {
  switch (function) {
    case QueryFunction::kQueryOperations:
      for (const kmip::OperationRow& row : kmip::ServerOperations()) {
        if (Serves(row.operation, version, ear)) response.operations.push_back(row.operation);
      }
      return;
    //= kmip-2.1 6.2.4 Query
    //# The Vendor Identification SHALL be a text string that uniquely identifies the vendor.
    case QueryFunction::kQueryServerInformation:
      response.vendor_identification = "OpenDaRE";
      response.server_information = kmip::ServerInformation{.product_name = "OpenDaRE client"};
      return;
    //# If the server is unable to specify details of the RNG then it SHALL return an RNG Parameters
    //# with the RNG Algorithm enumeration of Unspecified.
    case QueryFunction::kQueryRNGs:
      response.rngs = {{.algorithm = kmip::RNGAlgorithm::kUnspecified}};
      return;
    case QueryFunction::kQueryCapabilities:
      response.capabilities = {{.streaming = false,
                                .asynchronous = false,
                                .attestation = false,
                                .batch_undo = false,
                                .batch_continue = true}};
      return;
    case QueryFunction::kQueryClientRegistrationMethods:
      response.client_registration_methods = {kmip::ClientRegistrationMethod::kClientGenerated};
      return;
    default:
      return;  // no extensions, attestation, profiles or validations; no object types of its own
  }
}

using Payload = std::optional<WipingBytes>;

template <typename Response>
Payload PayloadOf(const Response& response, ProtocolVersion version) {
  ttlv::Writer out;
  response.Encode(out, version);
  return out.Take();
}

Result<Payload> DiscoverVersions(ttlv::Reader payload, ProtocolVersion version) {
  const auto request = TRY(kmip::DiscoverVersionsRequest::Decode(payload, version));
  kmip::DiscoverVersionsResponse response;
  for (const ProtocolVersion known : kVersions) {
    //= kmip-2.1 6.2.1 Discover Versions
    //# the client SHALL return only the protocol versions that are supported by both the client
    //# and server
    const bool wanted = request.versions.empty() ||
                        std::ranges::find(request.versions, known) != request.versions.end();
    if (wanted) response.versions.push_back(known);
  }
  return PayloadOf(response, version);
}

Result<Payload> Query(ttlv::Reader payload, ProtocolVersion version, const Ear& ear) {
  const auto request = TRY(kmip::QueryRequest::Decode(payload, version));
  kmip::QueryResponse response;
  std::vector<QueryFunction> told;
  for (const QueryFunction function : request.functions) {
    if (std::ranges::find(told, function) != told.end()) continue;
    told.push_back(function);
    Tell(function, version, ear, response);
  }
  return PayloadOf(response, version);
}

Result<Payload> Do(const kmip::RequestItem& item, ProtocolVersion version, Ear& ear) {
  if (!Serves(item.operation, version, ear)) {
    return Reject(ResultReason::kOperationNotSupported, "clients do not do this");
  }
  if (item.critical_extension) {
    return Reject(ResultReason::kFeatureNotSupported, "a Message Extension is not known");
  }
  ttlv::Reader payload = TRY(item.payload.Members());
  switch (item.operation) {
    case Operation::kDiscoverVersions:
      return DiscoverVersions(payload, version);
    case Operation::kQuery:
      return Query(payload, version, ear);
    case Operation::kPut: {
      const kmip::PutRequest put = TRY(kmip::PutRequest::Decode(payload, version));
      TRY(ear.OnPut(put));
      return Payload();
    }
    default:
      break;  // Notify
  }
  //= kmip-2.1 6.2.2 Notify
  //# The client SHALL send a response in the form of a Response containing no payload
  ear.OnNotify(TRY(kmip::NotifyRequest::Decode(payload, version)));
  return Payload();
}

struct Answered {
  kmip::ResponseItem head;
  Payload payload;
};

void Fail(const Error& error, ProtocolVersion version, kmip::ResponseItem& head) {
  head.status = kmip::ResultStatus::kOperationFailed;
  head.reason = kmip::ReasonFor(error, version);
  head.message = kmip::MessageFor(error);
}

// True where it succeeded.
bool AnswerItem(const Result<kmip::RequestItem>& item, ProtocolVersion version, Ear& ear,
                Answered& answered) {
  if (item) {
    answered.head.operation = item->operation;
    answered.head.unique_batch_item_id = item->unique_batch_item_id;
  }
  Result<Payload> done = item ? Do(*item, version, ear) : Result<Payload>(item.error());
  if (done) {
    answered.payload = std::move(*done);
    return true;
  }
  if (!item || item->operation == Operation::kNotify) ear.OnUnclear();
  Fail(done.error(), version, answered.head);
  return false;
}

WipingBytes Write(const std::vector<Answered>& items, const kmip::RequestHeader& asked,
                  ProtocolVersion version, std::int64_t now) {
  ttlv::Writer out;
  out.Structure(Tag::kResponseMessage, [&] {
    kmip::WriteResponseHeader(out, {.version = version,
                                    .time_stamp = now,
                                    .client_correlation = asked.client_correlation,
                                    .batch_count = static_cast<std::int32_t>(items.size())});
    for (const Answered& item : items) {
      out.Structure(Tag::kBatchItem, [&] {
        kmip::WriteResponseItemHead(out, item.head);
        if (!item.payload) return;
        out.Structure(Tag::kResponsePayload, [&] { out.Raw(*item.payload); });
      });
    }
  });
  return out.Take();
}

// What speaks against a message as a whole.
Result<void> CheckWhole(const kmip::RequestMessage& message) {
  const kmip::RequestHeader& header = message.header();
  if (!Speaks(header.version)) {
    return Reject(ResultReason::kUnsupportedProtocolVersion, "KMIP 2.0 and 2.1 are spoken here");
  }
  const kmip::RequestMessage::Survey survey = message.LookAtItems();
  if (survey.items != header.batch_count || survey.items == 0 || survey.repeated_id) {
    return Reject(ResultReason::kInvalidMessage, "the items are not those that the header tells");
  }
  if (survey.items > kMostItems) {
    return Reject(ResultReason::kInvalidMessage, "too many items in one message");
  }
  if (header.asynchrony == kmip::Asynchrony::kMandatory) {
    return Reject(ResultReason::kFeatureNotSupported, "answers come at once here");
  }
  return {};
}

}  // namespace

Result<WipingBytes> AnswerServer(ByteView bytes, Ear& ear, std::int64_t now) {
  TRY(ttlv::Validate(bytes, kServerRequestLimits));
  kmip::RequestMessage message = TRY(kmip::RequestMessage::Open(bytes));
  const kmip::RequestHeader& header = message.header();
  const ProtocolVersion version =
      Speaks(header.version) ? header.version
                             : std::clamp(header.version, kmip::kVersion2_0, kmip::kVersion2_1);
  std::vector<Answered> answers;
  if (Result<void> whole = CheckWhole(message); !whole) {
    ear.OnUnclear();
    Fail(whole.error(), version, answers.emplace_back().head);
    return Write(answers, header, version, now);
  }
  while (!message.AtEnd()) {
    const bool good = AnswerItem(message.Next(), version, ear, answers.emplace_back());
    if (good || header.on_error == kmip::BatchErrorContinuationOption::kContinue) continue;
    if (!message.AtEnd()) ear.OnUnclear();  // what follows is not looked at
    break;
  }
  WipingBytes answer = Write(answers, header, version, now);
  const std::int32_t most = header.maximum_response_size.value_or(0);
  if (most <= 0 || answer.size() <= static_cast<std::size_t>(most)) return answer;
  answers.clear();
  Fail(Reject(ResultReason::kResponseTooLarge, "the answer is larger than was asked for"), version,
       answers.emplace_back().head);
  return Write(answers, header, version, now);
}

}  // namespace dare::client

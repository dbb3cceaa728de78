#include "kmip/message.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kmip/reject.h"
#include "kmip/request_identity.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<ProtocolVersion> ReadProtocolVersion(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kProtocolVersion));
  ProtocolVersion version{};
  version.major = TRY(members.Integer(Tag::kProtocolVersionMajor));
  version.minor = TRY(members.Integer(Tag::kProtocolVersionMinor));
  TRY(members.End());
  return version;
}

void WriteProtocolVersion(ttlv::Writer& out, ProtocolVersion version) {
  out.Structure(Tag::kProtocolVersion, [&] {
    out.Integer(Tag::kProtocolVersionMajor, version.major);
    out.Integer(Tag::kProtocolVersionMinor, version.minor);
  });
}

namespace {

Result<Asynchrony> ReadAsynchrony(ttlv::Reader& in, ProtocolVersion version) {
  if (!in.At(Tag::kAsynchronousIndicator)) return Asynchrony::kProhibited;
  if (version < kVersion2_0) {
    const bool permitted = TRY(in.Boolean(Tag::kAsynchronousIndicator));
    return permitted ? Asynchrony::kOptional : Asynchrony::kProhibited;
  }
  switch (TRY(in.Enum<AsynchronousIndicator>(Tag::kAsynchronousIndicator))) {
    case AsynchronousIndicator::kMandatory:
      return Asynchrony::kMandatory;
    case AsynchronousIndicator::kOptional:
      return Asynchrony::kOptional;
    case AsynchronousIndicator::kProhibited:
      return Asynchrony::kProhibited;
  }
  return Error(Code::kMalformed, "unknown Asynchronous Indicator");
}

// Fields that came with a later version are no part of this one.
Result<void> ReadCorrelations(ttlv::Reader& in, RequestHeader& header) {
  if (header.version < kVersion1_4) return {};
  header.client_correlation =
      TRY(in.OptionalText(Tag::kClientCorrelationValue)).value_or(std::string_view());
  header.server_correlation =
      TRY(in.OptionalText(Tag::kServerCorrelationValue)).value_or(std::string_view());
  return {};
}

Result<void> ReadAttestation(ttlv::Reader& in, RequestHeader& header) {
  if (header.version < kVersion1_2) return {};
  header.attestation_capable = TRY(in.OptionalBoolean(Tag::kAttestationCapableIndicator));
  while (in.At(Tag::kAttestationType)) TRY(in.Enumeration(Tag::kAttestationType));
  return {};
}

Result<void> ReadErrorContinuation(ttlv::Reader& in, RequestHeader& header) {
  using Option = BatchErrorContinuationOption;
  const auto option = TRY(in.OptionalEnum<Option>(Tag::kBatchErrorContinuationOption));
  if (!option) return {};
  if (*option != Option::kContinue && *option != Option::kStop && *option != Option::kUndo) {
    return Error(Code::kMalformed, "unknown Batch Error Continuation Option");
  }
  header.on_error = *option;
  header.on_error_given = true;
  return {};
}

Result<RequestHeader> ReadRequestHeader(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kRequestHeader));
  RequestHeader header;
  header.version = TRY(ReadProtocolVersion(members));
  header.maximum_response_size = TRY(members.OptionalInteger(Tag::kMaximumResponseSize));
  TRY(ReadCorrelations(members, header));
  header.asynchrony = TRY(ReadAsynchrony(members, header.version));
  TRY(ReadAttestation(members, header));
  if (members.At(Tag::kAuthentication)) header.authentication = TRY(members.Next());
  TRY(ReadErrorContinuation(members, header));
  header.batch_order = TRY(members.OptionalBoolean(Tag::kBatchOrderOption));
  header.time_stamp = TRY(members.OptionalDateTime(Tag::kTimeStamp));
  header.batch_count = TRY(members.Integer(Tag::kBatchCount));
  TRY(members.End());
  return header;
}

}  // namespace

Result<RequestMessage> RequestMessage::Open(ByteView bytes) {
  ttlv::Reader outer = ttlv::Reader::Members(bytes);
  ttlv::Reader members = TRY(outer.Structure(Tag::kRequestMessage));
  TRY(outer.End());
  RequestHeader header = TRY(ReadRequestHeader(members));
  return RequestMessage(std::move(header), members);
}

namespace {

// What an item says of itself, as far as it can be read; what cannot is refused in its turn.
struct Glimpse {
  std::optional<ByteView> id;
  bool critical = false;
};

Glimpse GlimpseOf(const ttlv::Item& batch_item) {
  Glimpse glimpse;
  auto members = batch_item.Members();
  if (!members) return glimpse;
  while (!members->AtEnd()) {
    const auto member = members->Next();
    if (!member) return glimpse;
    if (member->tag == Tag::kUniqueBatchItemID) glimpse.id = member->value;
    if (member->tag != Tag::kMessageExtension) continue;
    ttlv::Reader alone = ttlv::Reader::Members(member->whole);
    const auto extension = ReadMessageExtension(alone);
    glimpse.critical |= extension && extension->critical;
  }
  return glimpse;
}

}  // namespace

RequestMessage::Survey RequestMessage::LookAtItems() const {
  Survey survey;
  std::vector<ByteView> ids;
  for (ttlv::Reader items = items_; !items.AtEnd();) {
    const auto item = items.Next();
    if (!item) break;
    ++survey.items;
    const Glimpse glimpse = GlimpseOf(*item);
    survey.critical_extension |= glimpse.critical;
    if (glimpse.id && header_.batch_count > 1) ids.push_back(*glimpse.id);
  }
  std::ranges::sort(ids, std::ranges::lexicographical_compare);
  survey.repeated_id = std::ranges::adjacent_find(ids, std::ranges::equal) != ids.end();
  return survey;
}

Result<RequestItem> RequestMessage::Next() {
  // Goes forward whatever stands there: who continues after an error must get to the end.
  const ttlv::Item whole = TRY(items_.Next());
  if (whole.tag != Tag::kBatchItem) return Error(Code::kMalformed, "not a Batch Item");
  ttlv::Reader members = TRY(whole.Members());
  RequestItem item;
  item.whole = whole.whole;
  item.operation = TRY(members.Enum<Operation>(Tag::kOperation));
  if (!(header_.version < ProtocolVersion{2, 0})) {
    item.ephemeral = TRY(members.OptionalBoolean(Tag::kEphemeral)).value_or(false);
  }
  item.unique_batch_item_id = TRY(members.OptionalByteString(Tag::kUniqueBatchItemID));
  if (!members.At(Tag::kRequestPayload) || members.type() != ttlv::Type::kStructure) {
    return Error(Code::kMalformed, "a batch item without Request Payload");
  }
  item.payload = TRY(members.Next());
  while (members.At(Tag::kMessageExtension)) {
    const MessageExtension extension = TRY(ReadMessageExtension(members));
    item.critical_extension |= extension.critical;
    if (!extension.identity) continue;
    if (item.identity) return Error(Code::kMalformed, "a batch item with two request identities");
    item.identity = extension.identity;
  }
  TRY(members.End());
  return item;
}

std::optional<ProtocolVersion> PeekVersion(ByteView bytes) {
  ttlv::Reader outer = ttlv::Reader::Members(bytes);
  auto message = outer.Structure(Tag::kRequestMessage);
  if (!message) return std::nullopt;
  auto header = message->Structure(Tag::kRequestHeader);
  if (!header) return std::nullopt;
  auto version = ReadProtocolVersion(*header);
  if (!version) return std::nullopt;
  return *version;
}

namespace {

void WriteAsynchrony(ttlv::Writer& out, const RequestHeader& header) {
  if (header.asynchrony == Asynchrony::kProhibited) return;
  if (header.version < kVersion2_0) return out.Boolean(Tag::kAsynchronousIndicator, true);
  out.Enum(Tag::kAsynchronousIndicator, header.asynchrony == Asynchrony::kMandatory
                                            ? AsynchronousIndicator::kMandatory
                                            : AsynchronousIndicator::kOptional);
}

}  // namespace

void WriteRequestHeader(ttlv::Writer& out, const RequestHeader& header) {
  out.Structure(Tag::kRequestHeader, [&] {
    WriteProtocolVersion(out, header.version);
    if (header.maximum_response_size) {
      out.Integer(Tag::kMaximumResponseSize, *header.maximum_response_size);
    }
    if (!header.client_correlation.empty()) {
      out.Text(Tag::kClientCorrelationValue, header.client_correlation);
    }
    if (!header.server_correlation.empty()) {
      out.Text(Tag::kServerCorrelationValue, header.server_correlation);
    }
    WriteAsynchrony(out, header);
    if (header.attestation_capable) {
      out.Boolean(Tag::kAttestationCapableIndicator, *header.attestation_capable);
    }
    if (header.authentication) out.Copy(*header.authentication);
    if (header.on_error_given) out.Enum(Tag::kBatchErrorContinuationOption, header.on_error);
    if (header.batch_order) out.Boolean(Tag::kBatchOrderOption, *header.batch_order);
    if (header.time_stamp) out.DateTime(Tag::kTimeStamp, *header.time_stamp);
    out.Integer(Tag::kBatchCount, header.batch_count);
  });
}

void WriteResponseHeader(ttlv::Writer& out, const ResponseHeader& header) {
  out.Structure(Tag::kResponseHeader, [&] {
    WriteProtocolVersion(out, header.version);
    out.DateTime(Tag::kTimeStamp, header.time_stamp);
    if (!header.server_hashed_password.empty()) {
      out.ByteString(Tag::kServerHashedPassword, header.server_hashed_password);
    }
    if (!header.client_correlation.empty()) {
      out.Text(Tag::kClientCorrelationValue, header.client_correlation);
    }
    if (!header.server_correlation.empty()) {
      out.Text(Tag::kServerCorrelationValue, header.server_correlation);
    }
    out.Integer(Tag::kBatchCount, header.batch_count);
  });
}

void WriteResponseItemHead(ttlv::Writer& out, const ResponseItem& item) {
  if (item.operation) out.Enum(Tag::kOperation, *item.operation);
  if (item.unique_batch_item_id)
    out.ByteString(Tag::kUniqueBatchItemID, *item.unique_batch_item_id);
  out.Enum(Tag::kResultStatus, item.status);
  if (item.reason) out.Enum(Tag::kResultReason, *item.reason);
  if (!item.message.empty()) out.Text(Tag::kResultMessage, item.message);
  if (item.asynchronous_correlation) {
    out.ByteString(Tag::kAsynchronousCorrelationValue, *item.asynchronous_correlation);
  }
}

Result<ResponseMessage> ResponseMessage::Open(ByteView bytes) {
  ttlv::Reader outer = ttlv::Reader::Members(bytes);
  ttlv::Reader members = TRY(outer.Structure(Tag::kResponseMessage));
  TRY(outer.End());
  ttlv::Reader in = TRY(members.Structure(Tag::kResponseHeader));
  ResponseHeader header;
  header.version = TRY(ReadProtocolVersion(in));
  header.time_stamp = TRY(in.DateTime(Tag::kTimeStamp));
  while (!in.AtEnd() && !in.At(Tag::kBatchCount)) {
    if (in.At(Tag::kClientCorrelationValue)) {
      header.client_correlation = TRY(in.Text(Tag::kClientCorrelationValue));
    } else if (in.At(Tag::kServerCorrelationValue)) {
      header.server_correlation = TRY(in.Text(Tag::kServerCorrelationValue));
    } else if (in.At(Tag::kServerHashedPassword)) {
      const ByteView proof = TRY(in.ByteString(Tag::kServerHashedPassword));
      header.server_hashed_password.assign(proof.begin(), proof.end());
    } else {
      TRY(in.Skip());
    }
  }
  header.batch_count = TRY(in.Integer(Tag::kBatchCount));
  return ResponseMessage(std::move(header), members);
}

Result<ResponseItem> ResponseMessage::Next() {
  ttlv::Reader members = TRY(items_.Structure(Tag::kBatchItem));
  ResponseItem item;
  item.operation = TRY(members.OptionalEnum<Operation>(Tag::kOperation));
  item.unique_batch_item_id = TRY(members.OptionalByteString(Tag::kUniqueBatchItemID));
  item.status = TRY(members.Enum<ResultStatus>(Tag::kResultStatus));
  item.reason = TRY(members.OptionalEnum<ResultReason>(Tag::kResultReason));
  item.message = TRY(members.OptionalText(Tag::kResultMessage)).value_or(std::string_view());
  item.asynchronous_correlation =
      TRY(members.OptionalByteString(Tag::kAsynchronousCorrelationValue));
  if (members.At(Tag::kResponsePayload)) item.payload = TRY(members.Next());
  return item;
}

}  // namespace dare::kmip

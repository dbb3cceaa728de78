#include "kmip/message.h"

#include <utility>

#include "kmip/reject.h"
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

// Asynchronous Indicator: Boolean in 1.x, Enumeration in 2.x (kmip-2.1 8.1.1).
Result<bool> ReadAsynchronousMandatory(ttlv::Reader& in) {
  if (!in.At(Tag::kAsynchronousIndicator)) return false;
  if (in.type() == ttlv::Type::kBoolean) return in.Boolean(Tag::kAsynchronousIndicator);
  const auto indicator = TRY(in.Enum<AsynchronousIndicator>(Tag::kAsynchronousIndicator));
  return indicator == AsynchronousIndicator::kMandatory;
}

Result<RequestHeader> ReadRequestHeader(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kRequestHeader));
  RequestHeader header;
  header.version = TRY(ReadProtocolVersion(members));
  header.maximum_response_size = TRY(members.OptionalInteger(Tag::kMaximumResponseSize));
  header.client_correlation =
      TRY(members.OptionalText(Tag::kClientCorrelationValue)).value_or(std::string_view());
  header.server_correlation =
      TRY(members.OptionalText(Tag::kServerCorrelationValue)).value_or(std::string_view());
  header.asynchronous_mandatory = TRY(ReadAsynchronousMandatory(members));
  header.attestation_capable = TRY(members.OptionalBoolean(Tag::kAttestationCapableIndicator));
  while (members.At(Tag::kAttestationType)) TRY(members.Enumeration(Tag::kAttestationType));
  if (members.At(Tag::kAuthentication)) header.authentication = TRY(members.Next());
  if (const auto option = TRY(
          members.OptionalEnum<BatchErrorContinuationOption>(Tag::kBatchErrorContinuationOption))) {
    header.on_error = *option;
    header.on_error_given = true;
  }
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

std::int32_t RequestMessage::CountItems() const {
  ttlv::Reader items = items_;
  std::int32_t count = 0;
  while (!items.AtEnd() && items.Skip()) ++count;
  return count;
}

Result<RequestItem> RequestMessage::Next() {
  // Goes forward whatever stands there: who continues after an error must get to the end.
  const ttlv::Item whole = TRY(items_.Next());
  if (whole.tag != Tag::kBatchItem) return Error(Code::kMalformed, "not a Batch Item");
  ttlv::Reader members = TRY(whole.Members());
  RequestItem item;
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
    ttlv::Reader extension = TRY(members.Structure(Tag::kMessageExtension));
    TRY(extension.Text(Tag::kVendorIdentification));
    item.critical_extension |= TRY(extension.Boolean(Tag::kCriticalityIndicator));
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

void WriteRequestHeader(ttlv::Writer& out, const RequestHeader& header) {
  out.Structure(Tag::kRequestHeader, [&] {
    WriteProtocolVersion(out, header.version);
    if (header.maximum_response_size) {
      out.Integer(Tag::kMaximumResponseSize, *header.maximum_response_size);
    }
    if (!header.client_correlation.empty()) {
      out.Text(Tag::kClientCorrelationValue, header.client_correlation);
    }
    if (header.on_error_given) out.Enum(Tag::kBatchErrorContinuationOption, header.on_error);
    if (header.batch_order) out.Boolean(Tag::kBatchOrderOption, *header.batch_order);
    out.Integer(Tag::kBatchCount, header.batch_count);
  });
}

void WriteResponseHeader(ttlv::Writer& out, const ResponseHeader& header) {
  out.Structure(Tag::kResponseHeader, [&] {
    WriteProtocolVersion(out, header.version);
    out.DateTime(Tag::kTimeStamp, header.time_stamp);
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
  if (members.At(Tag::kAsynchronousCorrelationValue)) TRY(members.Skip());
  if (members.At(Tag::kResponsePayload)) item.payload = TRY(members.Next());
  return item;
}

}  // namespace dare::kmip

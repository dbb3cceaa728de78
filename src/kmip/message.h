#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

// The frame around payloads: Request Message, Response Message, their headers and batch items
// (kmip-2.1 8; kmip-1.4 7). Views borrow from the message's bytes.
namespace dare::kmip {

// At Protocol Version.
Result<ProtocolVersion> ReadProtocolVersion(ttlv::Reader& in);
void WriteProtocolVersion(ttlv::Writer& out, ProtocolVersion version);

// Whether the client takes an answer later (kmip-2.1 9.2): in 1.x a Boolean, where true only
// permits it; in 2.x an Enumeration.
enum class Asynchrony : std::uint8_t { kProhibited, kOptional, kMandatory };

struct RequestHeader {
  ProtocolVersion version{1, 4};
  std::optional<std::int32_t> maximum_response_size;  // bytes of TTLV
  std::string client_correlation;                     // 1.4+
  std::string server_correlation;
  Asynchrony asynchrony = Asynchrony::kProhibited;
  std::optional<bool> attestation_capable;  // 1.2+
  std::optional<ttlv::Item> authentication;
  BatchErrorContinuationOption on_error = BatchErrorContinuationOption::kStop;
  bool on_error_given = false;
  std::optional<bool> batch_order;  // default false in 1.x, true in 2.x
  std::optional<std::int64_t> time_stamp;
  std::int32_t batch_count = 0;
};

struct RequestItem {
  ByteView whole;  // the Batch Item
  Operation operation{};
  bool ephemeral = false;  // 2.x
  std::optional<ByteView> unique_batch_item_id;
  ttlv::Item payload;                // Request Payload, a structure
  bool critical_extension = false;   // an unknown Message Extension that must not be ignored
  std::optional<ByteView> identity;  // what the client calls this request: kmip/request_identity.h
};

// A cursor over one Request Message that passed ttlv::Validate.
class RequestMessage {
 public:
  // kMalformed when the frame or the header cannot be read.
  static Result<RequestMessage> Open(ByteView bytes);
  const RequestHeader& header() const { return header_; }
  bool AtEnd() const { return items_.AtEnd(); }
  Result<RequestItem> Next();

  // What must be known of all items before the first one is done.
  struct Survey {
    std::int32_t items = 0;           // that there really are; header().batch_count is a claim
    bool critical_extension = false;  // an item has one that we do not know, and must not ignore
    bool repeated_id = false;         // two items have one Unique Batch Item ID
  };
  Survey LookAtItems() const;

 private:
  RequestMessage(RequestHeader header, ttlv::Reader items)
      : header_(std::move(header)), items_(items) {}
  RequestHeader header_;
  ttlv::Reader items_;
};

// The version of a message whose header may otherwise be unreadable, so that the refusal can be in
// it.
std::optional<ProtocolVersion> PeekVersion(ByteView bytes);

void WriteRequestHeader(ttlv::Writer& out, const RequestHeader& header);

struct ResponseHeader {
  ProtocolVersion version{1, 4};
  std::int64_t time_stamp = 0;
  Bytes server_hashed_password;  // 2.x, when the request had a Hashed Password
  std::string client_correlation;
  std::string server_correlation;
  std::int32_t batch_count = 0;
};
void WriteResponseHeader(ttlv::Writer& out, const ResponseHeader& header);

struct ResponseItem {
  std::optional<Operation> operation;
  std::optional<ByteView> unique_batch_item_id;
  ResultStatus status = ResultStatus::kSuccess;
  std::optional<ResultReason> reason;
  std::string message;
  std::optional<ByteView> asynchronous_correlation;  // where the status is Operation Pending
  std::optional<ttlv::Item> payload;
};
// Writes everything of a batch item before its Response Payload.
void WriteResponseItemHead(ttlv::Writer& out, const ResponseItem& item);

// A cursor over one Response Message, for clients.
class ResponseMessage {
 public:
  static Result<ResponseMessage> Open(ByteView bytes);
  const ResponseHeader& header() const { return header_; }
  bool AtEnd() const { return items_.AtEnd(); }
  Result<ResponseItem> Next();

 private:
  ResponseMessage(ResponseHeader header, ttlv::Reader items)
      : header_(std::move(header)), items_(items) {}
  ResponseHeader header_;
  ttlv::Reader items_;
};

}  // namespace dare::kmip

#include "kmip/payloads/revoke.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<RevokeRequest> RevokeRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  RevokeRequest request;
  request.id = TRY(ReadIdentifier(in, version));
  ttlv::Reader reason = TRY(in.Structure(Tag::kRevocationReason));
  request.reason = TRY(reason.Enum<RevocationReasonCode>(Tag::kRevocationReasonCode));
  request.message = TRY(reason.OptionalText(Tag::kRevocationMessage)).value_or(std::string_view());
  TRY(reason.End());
  request.compromise_occurrence_date = TRY(in.OptionalDateTime(Tag::kCompromiseOccurrenceDate));
  TRY(in.End());
  return request;
}

void RevokeRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteIdentifier(out, id);
  out.Structure(Tag::kRevocationReason, [&] {
    out.Enum(Tag::kRevocationReasonCode, reason);
    if (!message.empty()) out.Text(Tag::kRevocationMessage, message);
  });
  if (compromise_occurrence_date) {
    out.DateTime(Tag::kCompromiseOccurrenceDate, *compromise_occurrence_date);
  }
}

Result<RevokeResponse> RevokeResponse::Decode(ttlv::Reader& in, ProtocolVersion) {
  RevokeResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  TRY(in.End());
  return response;
}

void RevokeResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip

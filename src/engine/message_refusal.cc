#include "engine/message_refusal.h"

#include "engine/response_builder.h"
#include "engine/sessions.h"
#include "engine/versions.h"
#include "kmip/reject.h"

namespace dare::engine {

//= kmip-2.1 9.9 Client Correlation Value
//# For client to server operations, the Client Correlation Value is provided in the request.
// It goes into the audit log; published answers do not repeat it.
kmip::ResponseHeader HeaderFor(const Clock& clock, kmip::ProtocolVersion version,
                               const std::string& server_correlation) {
  kmip::ResponseHeader header;
  header.version = ClosestSupported(version);
  header.time_stamp = clock.Now();
  if (version >= kmip::kVersion1_4) header.server_correlation = server_correlation;
  return header;
}

void RefuseWhole(const Clock& clock, kmip::ProtocolVersion version, const Error& error,
                 WipingBytes& answer) {
  ResponseBuilder response(answer, HeaderFor(clock, version, ""));
  response.Refuse(nullptr, kmip::ResultStatus::kOperationFailed,
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

void RefuseMessage(const Clock& clock, ByteView request, kmip::ResultReason reason,
                   const std::string& message, WipingBytes& answer) {
  RefuseWhole(clock, kmip::PeekVersion(request).value_or(kNewestVersion),
              kmip::Reject(reason, message), answer);
}

audit::Entry RefuseUnreadable(const EngineParts& parts, const Caller& caller, const Error& error,
                              ByteView begun, WipingBytes& answer) {
  RefuseWhole(parts.clock, kmip::PeekVersion(begun).value_or(kNewestVersion), error, answer);
  return RefusedEntry(parts, caller, error);
}

std::optional<Doorkeeper::Refusal> AskDoorkeeper(const EngineParts& parts, const Caller& caller) {
  Doorkeeper* const doorkeeper = parts.sessions.doorkeeper;
  if (doorkeeper == nullptr) return std::nullopt;
  return doorkeeper->Refuses(caller.principal);
}

}  // namespace dare::engine

#pragma once

#include <optional>
#include <string>

#include "audit/entry.h"
#include "base/clock.h"
#include "base/secret_bytes.h"
#include "engine/doorkeeper.h"
#include "engine/operation.h"
#include "kmip/message.h"
#include "kmip/protocol_version.h"

// Messages that are refused as a whole, and what the audit log has to say of them.
namespace dare::engine {

kmip::ResponseHeader HeaderFor(const Clock& clock, kmip::ProtocolVersion version,
                               const std::string& server_correlation);

// The whole response to a request of `version` that failed for `error`'s reason.
void RefuseWhole(const Clock& clock, kmip::ProtocolVersion version, const Error& error,
                 WipingBytes& answer);
audit::Entry RefusedEntry(const EngineParts& parts, const Caller& caller, const Error& error);

// A whole response that refuses the request with `reason`, for failures outside of any item.
void RefuseMessage(const Clock& clock, ByteView request, kmip::ResultReason reason,
                   const std::string& message, WipingBytes& answer);

// The same for a request that never became TTLV but for what was `begun`; gives what the audit log
// has to say about it.
audit::Entry RefuseUnreadable(const EngineParts& parts, const Caller& caller, const Error& error,
                              ByteView begun, WipingBytes& answer);

// Why `caller` is not served now, whatever it asks; nothing: it is.
std::optional<Doorkeeper::Refusal> AskDoorkeeper(const EngineParts& parts, const Caller& caller);

}  // namespace dare::engine

#pragma once

#include <string>

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"

namespace dare::kmip {

// A refusal that the client will see as `reason`. Operations name the reason of KMIP 2.1, the most
// specific one; ReasonFor turns it into what the version of the request knows.
Error Reject(ResultReason reason, std::string message);

// The Result Reason by which `error` is answered to a client that speaks `version`.
// kRejected carries its own; every other code has one row here (kmip-2.1 11.47, kmip-1.4 11).
ResultReason ReasonFor(const Error& error, ProtocolVersion version);

// What a person may read beside the reason; errors that are ours or the storage's say no more than
// they must.
std::string MessageFor(const Error& error);

}  // namespace dare::kmip

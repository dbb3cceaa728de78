#pragma once

#include <string>
#include <utility>

#include "kmip/dialect.h"
#include "kmip/reject.h"

namespace dare::engine {

// A refusal where 1.x and 2.x of KMIP name different things, beyond what kmip::ReasonFor translates
// (kmip-1.4 11; kmip-2.1 6, "Error Handling").
inline Error RejectIn(kmip::ProtocolVersion version, kmip::ResultReason in_1x,
                      kmip::ResultReason in_2x, std::string message) {
  return kmip::Reject(kmip::IsVersion1(version) ? in_1x : in_2x, std::move(message));
}

}  // namespace dare::engine

#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "client/ear.h"
#include "ttlv/limits.h"

namespace dare::client {

// What a message of a server may cost.
inline constexpr ttlv::Limits kServerRequestLimits{.max_message_bytes = 256u << 10,
                                                   .max_items = 8192};

// The answer to a Request Message of a server that asks (kmip-2.1 6.2), in KMIP 2.0 or 2.1: Notify,
// Put (for an ear that takes objects), Discover Versions and Query; anything else is Operation Not
// Supported. `now` is what the answer says of the time, in POSIX seconds.
//
// An error when the bytes are no such message: there is no answer, and nothing that comes behind
// them can be trusted. Whatever could not be read, and may have been a Notify, is unclear to the
// ear.
Result<WipingBytes> AnswerServer(ByteView message, Ear& ear, std::int64_t now);

}  // namespace dare::client

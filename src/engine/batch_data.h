#pragma once

#include "base/secret_bytes.h"
#include "engine/operation.h"
#include "kmip/message.h"

// How the items of a 2.x batch hand data on: an item may name the output of an earlier one in place
// of its Data, and an Ephemeral item keeps its output from the client (kmip-2.1 8.3, 11.15 Data
// Enumeration).
namespace dare::engine {

// The payload's members, with what Data refers to in its place; `made` keeps what had to be made.
// Invalid Field where it refers to nothing.
Result<ByteView> WithDataInPlace(const ttlv::Item& payload, const BatchMemory& memory,
                                 WipingBytes& made);

// Remembers what `members`, of the answered payload of `operation`, put out.
void RememberData(kmip::Operation operation, ByteView members, BatchMemory& memory);

// The members without their data.
WipingBytes WithoutData(kmip::Operation operation, ByteView members);

}  // namespace dare::engine

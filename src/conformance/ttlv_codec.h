#pragma once

#include "base/bytes.h"
#include "conformance/tree.h"

namespace dare::conformance {

// TTLV, kmip-2.1 section 10.1, written for the judge alone: a fault in the server's own encoding
// must not be mirrored here. Placeholders must have been filled in before.

Bytes EncodeTtlv(const Node& node);
// One whole item and nothing behind it. kMalformed names the tag and what is wrong: lengths, types,
// padding that is not zero, Booleans other than 0 and 1, text that is not UTF-8, nesting over 64.
Result<Node> DecodeTtlv(ByteView bytes);
// Bytes of the message that begins with these 8 bytes, its header included.
std::uint64_t TtlvMessageSize(ByteView header);

}  // namespace dare::conformance

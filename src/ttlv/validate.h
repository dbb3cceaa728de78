#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "ttlv/limits.h"
#include "ttlv/tag.h"

namespace dare::ttlv {

// The framing step, before authentication and before any allocation: `header` is the first 8 bytes
// of a message, which must be a structure with the tag `expected` (a peer sends either requests or
// responses). Returns the size of the whole message, header included. kTooLarge over
// limits.max_message_bytes, kMalformed otherwise.
Result<std::size_t> MessageLength(ByteView header, kmip::Tag expected, const Limits& limits);

// Applies every rule of the encoding (kmip-2.1 10.1) to a whole message, in one pass without
// allocation or recursion: `message` is exactly one structure; each item has a lawful tag, a known
// type, the length of its type, zero padding, a Boolean of 0 or 1, valid UTF-8; members fill their
// structure exactly. kTooLarge over a limit, kMalformed (with tag and byte offset) otherwise.
Result<void> Validate(ByteView message, const Limits& limits = {});

// The same for one item of any type.
Result<void> ValidateItem(ByteView item, const Limits& limits = {});

}  // namespace dare::ttlv

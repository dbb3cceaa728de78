#pragma once

#include "crypto/asymmetric_key.h"
#include "engine/operation.h"
#include "kmip/attributes.h"
#include "kmip/key_block.h"

// The attributes of Private and Public Keys: what they say must be what the key is.
namespace dare::engine {

// Whether objects of `type` (Private or Public Key) come in this format in this version.
bool MayHaveFormat(kmip::ObjectType type, kmip::KeyFormatType format,
                   kmip::ProtocolVersion version);

// A key that a client brings, with the attributes it gave: reads and checks the key, refuses what
// disagrees or what the algorithm policy forbids, and completes algorithm and length. A key that
// cannot be read (wrapped, encrypted, Opaque, absent) needs both from the client. Invalid Field,
// Key Format Type Not Supported, kDenied.
Result<void> CheckBroughtKey(kmip::AttributeSet& attributes, kmip::ObjectType type,
                             const kmip::KeyBlock& block, const OperationContext& context);

// Completes Cryptographic Algorithm and Length from `key`; Invalid Field where those that are
// there, or the Cryptographic Domain Parameters, say something else.
Result<void> TakeFacts(kmip::AttributeSet& attributes, const crypto::KeyFacts& key,
                       kmip::ProtocolVersion version);

}  // namespace dare::engine

#pragma once

#include "envelope/encryption_context.h"
#include "envelope/keyring.h"
#include "envelope/wrapped_dek.h"

// Values: pieces of data that fit into memory, each sealed by itself (a database column, a message,
// a key). A sealed value is one message of the ESDK format (docs/formats/sealed-value.md), with the
// DEK under the KEKs themselves: no key block, so it cannot be rewrapped, only sealed again.
namespace dare::envelope {

inline constexpr std::size_t kMostValueBytes = 16u << 20;

// Pairs that begin so are ours. The rest of a context is the caller's.
inline constexpr std::string_view kReservedPairPrefix = "dare-";

// `wrapped` was made for `context`. kTooLarge above kMostValueBytes.
Result<Bytes> SealValue(const WrappedDek& wrapped, const EncryptionContext& context,
                        ByteView plaintext);

// Nothing comes out unless all of it is authentic and it was sealed for exactly `context`: kDamaged
// otherwise, one text. An error of a wrapper (denied, unavailable) passes.
Result<WipingBytes> OpenValue(ByteView sealed, const EncryptionContext& context,
                              const Keyring& keks);

}  // namespace dare::envelope

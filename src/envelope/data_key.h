#pragma once

#include "envelope/encryption_context.h"
#include "envelope/keyring.h"
#include "envelope/wrapped_dek.h"

// Data keys: keys that a program uses by itself, kept beside its data in wrapped form. The wrapped
// form is a sealed value (value.h) whose content is the key, and whose context says so by a pair of
// ours: no other value opens as a data key, and no data key as a value.
namespace dare::envelope {

inline constexpr std::size_t kDataKeyBytes = 32;  // of those made here
inline constexpr std::size_t kLeastDataKeyBytes = 16;
inline constexpr std::size_t kMostDataKeyBytes = 1024;

// What a DEK that wraps data keys of `context` must be made for. kInvalidArgument when a pair of
// `context` has a name of ours.
Result<EncryptionContext> DataKeyContext(const EncryptionContext& context);

// `wrapped` and `data_key_context`: as DataKeyContext gave it.
Result<Bytes> WrapDataKey(const WrappedDek& wrapped, const EncryptionContext& data_key_context,
                          const SecretBytes& key);
// kDamaged, one text, for whatever is not such a key wrapped for that context.
Result<SecretBytes> UnwrapDataKey(ByteView wrapped, const EncryptionContext& data_key_context,
                                  const Keyring& keks);

}  // namespace dare::envelope

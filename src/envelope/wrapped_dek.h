#pragma once

#include <span>
#include <vector>

#include "base/secret_bytes.h"
#include "envelope/keyring.h"

namespace dare::envelope {

// A DEK and its wrapped copies, bound to one encryption context. It seals one message, or, where a
// cache keeps it, several with the same context: each derives its own key from its own message id.
// Move-only.
struct WrappedDek {
  Dek dek;  // 32 bytes
  std::vector<EncryptedDataKey> edks;
};

// A fresh DEK under every wrapper of `keyring`, in its order. With `verify` each copy that can be
// unwrapped here is, once (format, section 5.3): a corrupt copy is total loss. Errors of the
// wrappers pass.
Result<WrappedDek> MakeWrappedDek(const Keyring& keyring, ByteView aad, bool verify);

// The same, one for each of `aads` and in their order: each wrapper is asked for all of them
// together.
std::vector<Result<WrappedDek>> MakeWrappedDeks(const Keyring& keyring,
                                                std::span<const ByteView> aads, bool verify);

}  // namespace dare::envelope

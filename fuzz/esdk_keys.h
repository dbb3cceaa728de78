#pragma once

#include "base/check.h"
#include "base/secret_bytes.h"
#include "envelope/keyring.h"

namespace dare::envelope {

// The one KEK of the corpus: the seeds are sealed under it and the target opens with it.
inline const Keyring& KeysForFuzz() {
  static const Keyring keys = [] {
    CHECK(StartSecureHeap(1 << 20).has_value());
    const Bytes bytes(32, 0x42);
    auto wrapper = RawAesKeyWrapper::Create("kmip:kms", "kek", SecretBytes::CopyOf(bytes).value());
    return Keyring{wrapper.value()};
  }();
  return keys;
}

}  // namespace dare::envelope

#pragma once

#include "engine/key_use.h"
#include "kmip/key_block.h"
#include "kmip/managed_object.h"

namespace dare::engine {

// The whole object structure of `object` (Symmetric Key {…}, Private Key {…}, Secret Data {…}, …)
// with its Key Value wrapped as `specification` asks (kmip-2.1 3.7, 7.18; kmip-1.4 2.1.5, 2.1.6):
// Encrypt, MAC/sign, and both in either order. TR-31 is refused: it wraps key blocks of another
// standard. Where no Encoding Option is given, the key's bytes alone are wrapped, if it has such:
// the text of the standard says TTLV, its published cases (TC-142) wrap the bytes, and a published
// case beats the text. An object that is stored wrapped is unwrapped first.
Result<WipingBytes> WrapObject(OperationContext& context, const kmip::ManagedObject& object,
                               const kmip::KeyWrapping& specification);

// The clear object structure of an object that was registered wrapped, by keys that this server has
// too. Encoding is told from the plaintext when Key Wrapping Data does not say.
Result<SecretBytes> UnwrapObject(OperationContext& context, const kmip::ManagedObject& object);

// Whether an object wrapped so may be read by whoever sees it: MAC/sign alone hides nothing.
bool Conceals(const kmip::KeyWrapping& specification);

}  // namespace dare::engine

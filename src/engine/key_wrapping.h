#pragma once

#include "engine/key_use.h"
#include "kmip/key_block.h"
#include "kmip/managed_object.h"

namespace dare::engine {

// The whole object structure of `object` (Symmetric Key {…}, Secret Data {…}) with its Key Value
// wrapped as `specification` asks (kmip-2.1 3.7, 7.18; kmip-1.4 2.1.5, 2.1.6): Encrypt with AES key
// wrap, KWP, GCM, CBC or CTR. Where no Encoding Option is given, the key's bytes alone are wrapped:
// the text of the standard says TTLV, its published cases (TC-142) wrap the bytes, and a published
// case beats the text.
Result<WipingBytes> WrapObject(OperationContext& context, const kmip::ManagedObject& object,
                               const kmip::KeyWrapping& specification);

// The clear object structure of an object that was registered wrapped, by a key that this server
// has too. Encoding is told from the plaintext when Key Wrapping Data does not say.
Result<SecretBytes> UnwrapObject(OperationContext& context, const kmip::ManagedObject& object);

}  // namespace dare::engine

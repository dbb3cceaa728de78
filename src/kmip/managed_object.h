#pragma once

#include <optional>
#include <string>

#include "base/secret_bytes.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/key_block.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// A managed object as the engine works with it: identity, attributes and, when opened, its
// material. `material` is the whole encoded object structure (Symmetric Key {…}, Secret Data {…},
// …) in clear, so that what was registered is what Get returns, byte for byte; empty when destroyed
// or not opened. Attributes include Unique Identifier, Object Type and State, always in the 2.x
// form.
struct ManagedObject {
  std::string id;
  ObjectType type{};
  std::string owner;  // principal name
  AttributeSet attributes;
  SecretBytes material;

  // The Key Block inside `material`, borrowed. kRejected (Key Value Not Present, …) for objects
  // without.
  Result<KeyBlock> Block() const;
};

// The tag of the structure that carries an object of `type` (Symmetric Key, …); nothing for unknown
// types.
std::optional<Tag> ObjectTag(ObjectType type);
std::optional<ObjectType> TypeOfObjectTag(Tag tag);

// Encodes Symmetric Key { Key Block { Raw, Key Value { Key Material }, algorithm, length } }.
// `bits` is the length where it is not that of the bytes (3DES does not count its parity bits).
Result<SecretBytes> MakeSymmetricKey(ByteView key, CryptographicAlgorithm algorithm,
                                     std::optional<std::int32_t> bits = std::nullopt);
// Encodes Secret Data { type, Key Block { Raw … } }.
Result<SecretBytes> MakeSecretData(ByteView data, SecretDataType type);

}  // namespace dare::kmip

#pragma once

#include <cstdint>
#include <optional>

#include "base/secret_bytes.h"
#include "crypto/asymmetric_key.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/key_block.h"
#include "kmip/managed_object.h"
#include "kmip/protocol_version.h"

// The Key Format Types of Private and Public Keys (kmip-2.1 11.27; kmip-1.4 9.1.3.2.3): from a Key
// Block to a key, and from a key to a Key Block in any format that it has.
namespace dare::engine {

// What a format may leave open (Raw does, and which of two algorithms uses a curve).
struct KeyHints {
  std::optional<kmip::CryptographicAlgorithm> algorithm;
  std::optional<kmip::RecommendedCurve> curve;
};
// From the Key Block where it speaks, from the attributes otherwise.
KeyHints HintsOf(const kmip::KeyBlock& block, const kmip::AttributeSet& attributes);

// False for what is wrapped, absent, Opaque, or encrypted by a password that is not known here
// (PKCS#8): such a key is kept as it came, and not used.
bool IsReadable(const kmip::KeyBlock& block);

// kRejected with Key Format Type Not Supported, kMalformed, kInvalidArgument, kUnsupported.
Result<crypto::PrivateKey> ReadPrivateKey(const kmip::KeyBlock& block, const KeyHints& hints,
                                          crypto::KeySource source);
Result<crypto::PublicKey> ReadPublicKey(const kmip::KeyBlock& block, const KeyHints& hints,
                                        crypto::KeySource source);

// How a Key Block is to be written.
struct KeyForm {
  kmip::KeyFormatType format{};
  std::optional<kmip::KeyCompressionType> compression;  // EC public keys
  kmip::CryptographicAlgorithm algorithm{};
  std::int32_t bits = 0;
};
// The whole object structure, Private Key { Key Block { … } } or Public Key { … }. Key Format Type
// Not Supported, Key Compression Type Not Supported.
Result<SecretBytes> MakePrivateKey(const crypto::PrivateKey& key, const KeyForm& form);
Result<SecretBytes> MakePublicKey(const crypto::PublicKey& key, const KeyForm& form);
// The object that `object` (a Private or Public Key) is, in another form.
Result<SecretBytes> InOtherForm(const kmip::ManagedObject& object, kmip::KeyFormatType format,
                                std::optional<kmip::KeyCompressionType> compression);

//= kmip-2.1 3.1 (Default Key Format Type, by object)
//# RSA: PKCS#1; EC: Transparent EC; DSA: Transparent DSA
// 1.x names none; there EC keys come as ECPrivateKey and X.509, which every 1.x peer can read.
kmip::KeyFormatType DefaultFormat(const crypto::KeyFacts& key, kmip::ObjectType type,
                                  kmip::ProtocolVersion version);
// The default for a key that is kept in a format which `version` does not know.
Result<kmip::KeyFormatType> FormatForVersion(const kmip::ManagedObject& object,
                                             kmip::ProtocolVersion version);

}  // namespace dare::engine
